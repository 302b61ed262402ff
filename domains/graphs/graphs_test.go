package graphs

import (
	"context"
	"path/filepath"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
)

var (
	moleculeFile = filepath.Join("..", "..", "..", "shared", "data", "graphs", "pubchemqc_cno", "molecules.tsv.gz")
	enzymesFile  = filepath.Join("..", "..", "..", "shared", "data", "graphs", "enzymes", "ENZYMES_A.txt.gz")
)

func TestMolecules(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{Options: domains.LoadOptions{Paths: []string{moleculeFile}}, Records: 1000})
}

func TestEnzymes(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{Options: domains.LoadOptions{Paths: []string{enzymesFile},
		Settings: map[string]string{"min_nodes": "10", "max_nodes": "40", "component": "largest"}}})
}

func TestFigures(t *testing.T) {
	for _, o := range []domains.LoadOptions{{Paths: []string{moleculeFile}}, {Paths: []string{enzymesFile}, Settings: map[string]string{"min_nodes": "10", "max_nodes": "40", "component": "largest"}}} {
		d, err := Domain{}.Load(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(d.Adapter.Shape(), d.Adapter.Free(), d.Train.Len(), d.Valid.Len(), d.Notes, string(d.Adapter.Settings()))
	}
}
