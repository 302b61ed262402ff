package antibody

import (
	"context"
	"path/filepath"
	"testing"

	"pfgmgen/domains"
)

var (
	shared = filepath.Join("..", "..", "..", "shared", "data", "antibody")
	jaffe  = filepath.Join(shared, "oas_jaffe2022_paired", "paired_vh_vl.tsv.gz")
	bernat = filepath.Join(shared, "oas_bernat2019_igg_imgt", "vh_imgt.tsv.gz")
)

func TestM1(t *testing.T) {
	for _, tc := range []struct {
		path string
		set  map[string]string
	}{{jaffe, nil}, {bernat, nil}, {jaffe, map[string]string{"chains": "light", "condition": "locus"}}, {jaffe, map[string]string{"condition": "cdr3_length"}}, {jaffe, map[string]string{"condition": "v_family", "chains": "heavy"}}} {
		d, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{tc.path}, Settings: tc.set})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(d.Source, d.Train.Len(), d.Valid.Len(), d.Adapter.Shape(), d.Adapter.Labels(), d.Notes)
		x := make([]float64, d.Adapter.Free())
		bad := 0
		for _, e := range []domains.Examples{d.Train, d.Valid} {
			for i := range min(2000, e.Len()) {
				l := e.Encode(x, i)
				r := d.Adapter.Decode(x, l)
				if r.Key() != e.Key(i) {
					t.Fatal(r.Key(), e.Key(i))
				}
				if !r.Verdict().Valid() {
					bad++
				}
			}
		}
		t.Log(bad, string(d.Adapter.Settings()))
	}
}
