package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"
)

// maxConfig bounds a configuration file in bytes.
const maxConfig = 1 << 20

// applyConfig sets the flags that neither the command line nor the environment has set from a YAML file, a mapping with
// the flags' names as keys. A list means its items with commas between, a mapping key=value pairs with commas between.
func applyConfig(path string, flags []cli.Flag, isSet func(string) bool, set func(name, value string) error) error {
	data, err := readConfig(path)
	if err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // empty: no settings
		}
		return usageErrorf("config %s: %w", path, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return usageErrorf("config %s: more than one YAML document", path)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return usageErrorf("config %s: line %d: want settings as name: value", path, root.Line)
	}
	known := make(map[string]cli.Flag)
	var names []string
	for _, f := range flags {
		if name := f.Names()[0]; name != "config" && name != cli.HelpFlag.Names()[0] {
			known[name] = f
			names = append(names, name)
		}
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if known[key.Value] == nil {
			return usageErrorf("config %s: line %d: unknown key %q%s", path, key.Line, key.Value, didYouMean(key.Value, names, ""))
		}
		if line := seen[key.Value]; line > 0 {
			return usageErrorf("config %s: line %d: %s was set on line %d already", path, key.Line, key.Value, line)
		}
		seen[key.Value] = key.Line
		text, err := flagText(value)
		if err != nil {
			return usageErrorf("config %s: line %d: %s: %w", path, value.Line, key.Value, err)
		}
		if isSet(key.Value) {
			continue
		}
		if err := set(key.Value, text); err != nil {
			return usageErrorf("config %s: line %d: %s: %q: %s", path, value.Line, key.Value, text, wants(known[key.Value], err.Error()))
		}
	}
	return nil
}

func readConfig(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, usageErrorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	if len(data) > maxConfig {
		return nil, usageErrorf("config %s: more than %d bytes", path, maxConfig)
	}
	return data, nil
}

// flagText is a YAML value as it would stand on the command line.
func flagText(v *yaml.Node) (string, error) {
	switch v.Kind {
	case yaml.ScalarNode:
		if v.Tag == "!!null" {
			return "", errors.New("has no value")
		}
		return v.Value, nil
	case yaml.SequenceNode:
		var parts []string
		for _, item := range v.Content {
			if item.Kind != yaml.ScalarNode {
				return "", errors.New("want a list of plain values")
			}
			parts = append(parts, item.Value)
		}
		return strings.Join(parts, ","), nil
	case yaml.MappingNode:
		var parts []string
		for i := 0; i+1 < len(v.Content); i += 2 {
			if v.Content[i+1].Kind != yaml.ScalarNode {
				return "", errors.New("want name: value pairs")
			}
			parts = append(parts, v.Content[i].Value+"="+v.Content[i+1].Value)
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("want a plain value, a list or name: value pairs")
}
