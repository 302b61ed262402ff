package graphs

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"

	"pfgmgen/internal/graph"
)

// familyPath begins a path that names a built-in family in place of a file.
const familyPath = "family:"

// familyRules are the rules that built-in families keep.
var familyRules = map[string]string{"planar-64": planarRule, "tree-64": treeRule, "lobster": lobsterRule, "sbm": sbmRule}

// drawFamily adds seeded graphs of a built-in family, and its name and edges to sum.
func (in *input) drawFamily(ctx context.Context, name string, count int, seed uint64, sum hash.Hash) error {
	draw, err := graph.Draw(name, seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(sum, "%s%s\n", familyPath, name)
	for i := range count {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("loading stopped: %w", err)
		}
		g := draw(i)
		b := binary.LittleEndian.AppendUint32(nil, uint32(g.N))
		for _, e := range g.Edges {
			b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(e.U)), uint32(e.V))
		}
		sum.Write(append(b, '\n'))
		if err := in.add(generic, &record{id: fmt.Sprintf("%s-%d", name, i), class: name, g: g}); err != nil {
			return err
		}
	}
	if in.license == "" {
		in.license = "CC0-1.0 (random graphs)"
	}
	in.sources = append(in.sources, fmt.Sprintf("%s%s (%d records, seed %d)", familyPath, name, count, seed))
	return nil
}

// familyNames are the built-in families, for people.
func familyNames() string {
	names, _ := graph.Families()
	return strings.Join(names, ", ")
}
