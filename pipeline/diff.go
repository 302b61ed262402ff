package pipeline

import (
	"encoding/json"
	"fmt"
	"sort"
)

// A Difference is one setting in which two plans differ, with both values as JSON; "none" where a plan has none.
type Difference struct {
	Name string `json:"name"` // as in the plan record; "model.sha256" for a nested one
	A    string `json:"a"`
	B    string `json:"b"`
}

// String says it in one line, a first.
func (d Difference) String() string { return fmt.Sprintf("%s: %s against %s", d.Name, d.A, d.B) }

// Diff lists the settings in which a and b differ, by name.
func Diff(a, b Plan) []Difference {
	left, right := flat(a), flat(b)
	names := make(map[string]bool)
	for n := range left {
		names[n] = true
	}
	for n := range right {
		names[n] = true
	}
	value := func(m map[string]string, name string) string {
		if v, ok := m[name]; ok {
			return v
		}
		return "none"
	}
	var out []Difference
	for n := range names {
		if x, y := value(left, n), value(right, n); x != y {
			out = append(out, Difference{n, x, y})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// flat is the plan as JSON values by dotted name.
func flat(p Plan) map[string]string {
	tree, err := decodeTree(p.JSON())
	if err != nil {
		panic("pipeline: plan: " + err.Error()) // JSON just made
	}
	out := make(map[string]string)
	var walk func(prefix string, tree map[string]any)
	walk = func(prefix string, tree map[string]any) {
		for k, v := range tree {
			if sub, ok := v.(map[string]any); ok {
				walk(prefix+k+".", sub)
				continue
			}
			b, err := json.Marshal(v)
			if err != nil {
				panic("pipeline: plan: " + err.Error())
			}
			out[prefix+k] = string(b)
		}
	}
	walk("", tree)
	return out
}
