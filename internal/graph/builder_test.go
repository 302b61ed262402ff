package graph

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

type listed struct {
	u, v string
	kind uint8
}

func build(r Rules, both, sort bool, list ...listed) (*Builder, *Graph, []string, error) {
	b := NewBuilder(r, "line", both)
	for i, l := range list {
		u, err := b.Node(l.u)
		if err != nil {
			return b, nil, nil, err
		}
		v, err := b.Node(l.v)
		if err != nil {
			return b, nil, nil, err
		}
		if err := b.Label(u, "of "+l.u); err != nil {
			return b, nil, nil, err
		}
		if err := b.Join(u, v, l.kind, 10+i); err != nil {
			return b, nil, nil, err
		}
	}
	if sort {
		b.Sort()
	}
	g, labels, err := b.Build()
	return b, g, labels, err
}

func TestBuilder(t *testing.T) {
	_, g, labels, err := build(Rules{}, false, true, listed{"10", "9", 1}, listed{"9", "2", 2}, listed{"2", "11", 3})
	if err != nil || g.N != 4 || !reflect.DeepEqual(g.Edges, []Edge{{0, 1, 2}, {0, 3, 3}, {1, 2, 1}}) ||
		!slices.Equal(labels, []string{"of 2", "of 9", "of 10", ""}) {
		t.Errorf("sorted by number: %+v, %q, %v", g, labels, err)
	}
	for _, name := range []string{"x", "09", "-1", "+3", "99999999999999999999"} {
		if b, _, _, err := build(Rules{}, false, true, listed{"10", name, 1}); err != nil || !slices.Equal(b.names, []string{"10", name}) {
			t.Errorf("with %q the order is %q, %v", name, b.names, err)
		}
	}
	_, g, _, err = build(Rules{}, true, true, listed{"7", "3", 2}, listed{"3", "7", 2})
	if err != nil || !slices.Equal(g.Edges, []Edge{{0, 1, 2}}) {
		t.Errorf("both directions: %+v, %v", g, err)
	}
	_, g, _, err = build(Rules{Simplify: true}, false, false, listed{"a", "a", 1}, listed{"a", "b", 2}, listed{"b", "a", 3}, listed{"a", "b", 1})
	if err != nil || g.N != 2 || !slices.Equal(g.Edges, []Edge{{0, 1, 2}}) {
		t.Errorf("simplified: %+v, %v", g, err)
	}
}

func TestBuilderErrors(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tc := range []struct {
		name string
		r    Rules
		both bool
		list []listed
		want string
	}{
		{"loop", Rules{}, true, []listed{{"a", "a", 1}}, `node "a" is joined to itself`},
		{"twice", Rules{}, false, []listed{{"a", "b", 1}, {"b", "a", 1}}, `nodes "a" and "b" are joined on line 10 and again on line 11`},
		{"twice one way", Rules{}, true, []listed{{"a", "b", 1}, {"a", "b", 1}}, "again on line 11"},
		{"three times", Rules{}, true, []listed{{"a", "b", 1}, {"b", "a", 1}, {"a", "b", 1}}, "joined on line 11 and again on line 12"},
		{"types", Rules{}, true, []listed{{"a", "b", 1}, {"b", "a", 2}}, "has type 1 on line 10 and 2 on line 11"},
		{"nodes", Rules{MaxNodes: 2}, false, []listed{{"a", "b", 1}, {"b", "c", 1}}, "over 2 nodes"},
		{"edges", Rules{MaxEdges: 1}, false, []listed{{"a", "b", 1}, {"b", "c", 1}}, "over 1 edges"},
		{"name", Rules{}, false, []listed{{long, "b", 1}}, "has 300 bytes, over 256"},
	} {
		if _, g, _, err := build(tc.r, tc.both, false, tc.list...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %+v, %v; want %q", tc.name, g, err, tc.want)
		}
	}
	b := NewBuilder(Rules{}, "line", false)
	if err := b.Add(3); err != nil {
		t.Fatal(err)
	}
	if err := b.Label(1, long); err == nil {
		t.Error("a long label")
	}
	if first, again, other := b.Label(1, "x"), b.Label(1, "x"), b.Label(1, "y"); first != nil || again != nil || other == nil {
		t.Error("the second label")
	}
	if g, labels, err := b.Build(); err != nil || g.N != 3 || !slices.Equal(labels, []string{"", "x", ""}) {
		t.Errorf("%+v, %q, %v", g, labels, err)
	}
}

func TestBuilderList(t *testing.T) {
	b := NewBuilder(Rules{}, "line", false)
	node := func(v int, err error) int {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if err := b.Join(node(b.List("a")), node(b.Node("b")), 1, 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Listed(); err == nil || !strings.Contains(err.Error(), `node "b", which is not among`) {
		t.Errorf("a node that is not listed: %v", err)
	}
	node(b.List("b"))
	if err := b.Listed(); err != nil {
		t.Error(err)
	}
	if _, err := b.List("a"); err == nil || !strings.Contains(err.Error(), `node "a" is listed twice`) {
		t.Errorf("listed twice: %v", err)
	}
}
