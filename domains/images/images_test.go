package images

import (
	"context"
	"path/filepath"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
)

var (
	shared = filepath.Join("..", "..", "..", "shared", "data", "images")
	mnist  = filepath.Join(shared, "mnist", "train-images-idx3-ubyte.gz")
	cells  = filepath.Join(shared, "bccd_cells32", "images-idx4-ubyte.gz")
)

func load(t testing.TB, o domains.LoadOptions) *domains.Data {
	t.Helper()
	d, err := Domain{}.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	for name, path := range map[string]string{"mnist": mnist, "cells": cells} {
		t.Run(name, func(t *testing.T) {
			domainstest.Run(t, Domain{}, domainstest.Fixture{
				Options: domains.LoadOptions{Paths: []string{path}}, Records: 1000, MaxRejected: 0.001,
			})
		})
	}
}
