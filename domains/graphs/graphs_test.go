package graphs

import (
	"context"
	"crypto/sha256"
	"path/filepath"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
)

var (
	shared       = filepath.Join("..", "..", "..", "shared", "data", "graphs")
	moleculeFile = filepath.Join(shared, "pubchemqc_cno", "molecules.tsv.gz")
	enzymesFile  = filepath.Join(shared, "enzymes", "ENZYMES_A.txt.gz")

	enzymes = domains.LoadOptions{Paths: []string{enzymesFile},
		Settings: map[string]string{"min_nodes": "10", "max_nodes": "40", "component": "largest"}}
)

func read(t *testing.T, path string) *input {
	t.Helper()
	in := new(input)
	if err := in.readFile(context.Background(), path, sha256.New()); err != nil {
		t.Fatal(err)
	}
	return in
}

func TestMolecules(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{Options: domains.LoadOptions{Paths: []string{moleculeFile}}, Records: 1000})
}

func TestEnzymes(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{Options: enzymes})
}

func TestFigures(t *testing.T) {
	for _, o := range []domains.LoadOptions{{Paths: []string{moleculeFile}}, enzymes} {
		d, err := Domain{}.Load(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(d.Adapter.Shape(), d.Adapter.Free(), d.Train.Len(), d.Valid.Len(), d.Notes, string(d.Adapter.Settings()))
	}
}
