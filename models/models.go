// Package models holds the models that are built into the program: ONNX files that meet the model contract
// (sampler.Contract), each with a card that says what data it learnt from, under which licence, how well it does and
// what it is not good for. They were all trained with `pfgmgen train`; the commands are targets of the Makefile.
//
// To add one: put NAME.onnx and NAME.md here and a line in List.
package models

import (
	"embed"
	"errors"
	"fmt"
	"strings"
)

//go:embed *.onnx *.md
var files embed.FS

// ErrUnknown is wrapped by Get and Default when there is no such model.
var ErrUnknown = errors.New("no such built-in model")

// A Model is a built-in model.
type Model struct {
	Name   string // what --model takes
	Domain string
	About  string // one line
}

// List lists the built-in models; the first of a domain is its default.
func List() []Model {
	return []Model{
		{"rna-trna", "rna", "transfer RNAs, from the Sprinzl alignment: 112 aligned columns with the cloverleaf structure"},
		{"antibody-vh", "antibody", "human heavy-chain variable domains, by V family, from one donor of the Observed Antibody Space"},
		{"graphs-molecules", "graphs", "small neutral molecules of C, N and O with 4 to 16 heavy atoms, from PubChemQC"},
		{"graphs-community", "graphs", "plain graphs of 12 to 20 nodes in two communities"},
		{"audio-digits", "audio", "spoken digits at 8 kHz, by digit, from the Free Spoken Digit Dataset (share-alike)"},
		{"images-mnist", "images", "handwritten digits of 28x28 grey pixels, by digit, from MNIST (share-alike)"},
		{"images-cells", "images", "blood cells of 32x32 colour pixels, by kind, from BCCD"},
	}
}

// Get returns the model called name.
func Get(name string) (Model, error) {
	var names []string
	for _, m := range List() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Model{}, fmt.Errorf("models: %w %q, there are: %s", ErrUnknown, name, strings.Join(names, ", "))
}

// Default returns the model that a domain uses when none is named.
func Default(domain string) (Model, error) {
	for _, m := range List() {
		if m.Domain == domain {
			return m, nil
		}
	}
	return Model{}, fmt.Errorf("models: %w for domain %q", ErrUnknown, domain)
}

// Bytes is the ONNX file.
func (m Model) Bytes() []byte { return m.read(".onnx") }

// Card is the model card, in Markdown.
func (m Model) Card() string { return string(m.read(".md")) }

// read panics on a missing file, which the tests of this package would have found: the list and the files are built in
// together.
func (m Model) read(ext string) []byte {
	b, err := files.ReadFile(m.Name + ext)
	if err != nil {
		panic("models: " + err.Error())
	}
	return b
}
