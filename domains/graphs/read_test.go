package graphs

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"pfgmgen/internal/graph"
)

// FuzzRead reads any text as any format. What is kept must be a simple graph that orders and keys can be made of.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"CCO ethanol\nc1ccccc1\n", "name,smiles\na,OCC\n", "id\tatoms\tbonds\tsplit\na\tC O-1\t0-1:1\ttest\n", molfile3,
		"0 1\n1 2\n\n0 1 3\n", "# graph id=a nodes=3\nnode 0 x\n0 1\n", ">>graph6<<Cx\n", ":Fa@x^\n", `{"nodes":[{"id":1},{"id":2}],"links":[{"source":1,"target":2}]}`,
		`<graphml><graph><node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>`, "", "\x1f\x8b", "C[N+](C)(C)C\n[Na+].[Cl-]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := &input{largest: len(text)%2 == 0, rules: graph.Rules{MaxNodes: maxReadNodes, MaxEdges: maxReadEdges}}
		if err := in.read(bytes.NewReader(text), "fuzz", sha256.New()); err != nil {
			return
		}
		for _, r := range in.records {
			if r.g.N > 40 {
				continue
			}
			order := canonicalOrder
			if in.kind == molecules {
				order = orderMolecule
				if m := moleculeOf(r.g); len(m.Faults()) > 0 {
					t.Fatalf("a molecule with faults %v", m.Faults())
				}
			}
			o := order(r.g)
			if len(o.nodes) != r.g.N || notSimple(&row{g: r.g}) || isomorphismKey(r.g) == "" {
				t.Fatalf("%d of %d nodes ordered", len(o.nodes), r.g.N)
			}
		}
	})
}

// FuzzDecode decodes any values in any mask.
func FuzzDecode(f *testing.F) {
	f.Add(uint64(1), 0.5, true)
	f.Add(uint64(2), 1e300, false)
	f.Fuzz(func(t *testing.T, seed uint64, scale float64, molecule bool) {
		raw := genericSettings
		if molecule {
			raw = moleculeSettings
		}
		opened, err := Domain{}.Open([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		a := opened.(*adapter)
		x := make([]float64, a.layout.size())
		for i := range x {
			seed = mix(seed)
			x[i] = scale * (float64(seed>>11)/(1<<53) - 0.5)
			if seed%8 == 0 {
				x[i] = 0
			}
		}
		r := a.Decode(x, int(seed)).(*row)
		margin, entropy := r.Confidence()
		if !(margin >= 0) || !(entropy >= 0) || r.g.N > a.s.largest() || notSimple(r) {
			t.Fatalf("margin %v, entropy %v, %d nodes", margin, entropy, r.g.N)
		}
		one(t, a, r)
	})
}
