package graphs

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
)

// open settings of each kind.
const (
	moleculeSettings = `{"atoms":["C","N","O-1"],"bandwidth":3,"connected":true,"edge_types":[1,2,3],"kind":"molecules","sizes":[[[2,1],[5,3]]],"version":1}`
	genericSettings  = `{"bandwidth":4,"classes":["a","b"],"condition":"label","connected":false,"edge_types":[1],"family":"tree","fragments":"largest","kind":"graphs","labels":[-1,3],"sizes":[[[2,1],[5,3]],[[2,1]],[[5,3]]],"version":1}`
)

func TestSettings(t *testing.T) {
	for _, good := range []string{moleculeSettings, genericSettings} {
		a, err := Domain{}.Open(json.RawMessage(good))
		if err != nil {
			t.Fatal(err)
		}
		if string(a.Settings()) != good {
			t.Errorf("settings %s became %s", good, a.Settings())
		}
	}
	change := func(base, field, value string) string {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(base), &m); err != nil {
			t.Fatal(err)
		}
		m[field] = json.RawMessage(value)
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, bad := range [][3]string{
		{moleculeSettings, "version", "2"}, {moleculeSettings, "kind", `"proteins"`}, {moleculeSettings, "atoms", `[]`},
		{moleculeSettings, "atoms", `["C","C"]`}, {moleculeSettings, "atoms", `["Xx"]`}, {moleculeSettings, "atoms", `["C+0"]`},
		{moleculeSettings, "atoms", `["C+9"]`}, {moleculeSettings, "labels", `[1]`}, {moleculeSettings, "edge_types", `[4]`},
		{moleculeSettings, "edge_types", `[]`}, {moleculeSettings, "edge_types", `[2,1]`}, {moleculeSettings, "bandwidth", "5"},
		{moleculeSettings, "bandwidth", "0"}, {moleculeSettings, "bandwidth", "-1"}, {moleculeSettings, "family", `"tree"`},
		{moleculeSettings, "sizes", `[]`}, {moleculeSettings, "sizes", `[[]]`}, {moleculeSettings, "sizes", `[[[1,3]]]`},
		{moleculeSettings, "sizes", `[[[2,1],[2,1]]]`}, {moleculeSettings, "sizes", `[[[5,3],[2,1]]]`}, {moleculeSettings, "sizes", `[[[5,0]]]`},
		{moleculeSettings, "sizes", `[[[5,2147483647],[6,2147483647]]]`}, {moleculeSettings, "sizes", `[[[100000,1]]]`},
		{moleculeSettings, "sizes", `[[[5,3]],[[5,3]]]`}, {moleculeSettings, "fragments", `"all"`}, {moleculeSettings, "condition", `"label"`},
		{genericSettings, "family", `"forest"`}, {genericSettings, "labels", `[3,-1]`}, {genericSettings, "labels", `[200]`},
		{genericSettings, "classes", `["a"]`}, {genericSettings, "classes", `["a","a"]`}, {genericSettings, "classes", `["a","b\n"]`},
		{genericSettings, "condition", `"size of"`}, {genericSettings, "condition", `""`}, {genericSettings, "atoms", `["C"]`},
		{genericSettings, "sizes", `[[[2,1],[5,3]],[[2,1]],[[6,3]]]`}, {genericSettings, "sizes", `[[[2,1],[5,3]],[[2,1]],[]]`},
		{genericSettings, "edge_types", `[300]`},
	} {
		if s := change(bad[0], bad[1], bad[2]); true {
			if _, err := (Domain{}).Open(json.RawMessage(s)); err == nil {
				t.Errorf("settings with %s %s are accepted", bad[1], bad[2])
			}
		}
	}
}

// FuzzOpen opens hostile settings; what is accepted must decode anything.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(moleculeSettings))
	f.Add([]byte(genericSettings))
	f.Add([]byte(`{"bandwidth":1000,"connected":true,"edge_types":[1],"kind":"graphs","sizes":[[[1024,1]]],"version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		opened, err := Domain{}.Open(raw)
		if err != nil {
			return
		}
		a := opened.(*adapter)
		if _, err := (Domain{}).Open(a.Settings()); err != nil {
			t.Fatalf("its own settings are refused: %v", err)
		}
		if a.layout.size() > 1<<14 {
			return // decoding a graph of a thousand nodes takes too long to fuzz
		}
		rng := rand.New(rand.NewPCG(1, uint64(len(raw))))
		x := make([]float64, a.layout.size())
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		a.Mask(x, int(rng.Int64()), rng)
		n := a.layout.nodesOf(x)
		if n < 2 || n > a.s.largest() || a.Free() < a.layout.free(n) {
			t.Fatalf("a mask of %d nodes", n)
		}
		x[rng.IntN(len(x))] = math.NaN()
		a.Decode(x, 0).Key()
	})
}
