package graphs

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/graph"
	"pfgmgen/io/edgelist"
	"pfgmgen/io/graph6"
	"pfgmgen/io/graphml"
	"pfgmgen/io/nodelink"
	"pfgmgen/io/tudata"
)

// readGraphs reads a file of one of the formats of graphs without atoms.
func (in *input) readGraphs(text io.Reader, path, format string) error {
	next, err := in.graphReader(text, path, format)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		rec, err := next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = in.addGraph(rec, strconv.Itoa(n))
		}
		if err != nil {
			return err
		}
	}
}

// graphReader returns what reads the next graph of a file.
func (in *input) graphReader(text io.Reader, path, format string) (next func() (graph.Record, error), err error) {
	switch format {
	case graph6Lines:
		r, err := graph6.NewReader(text, path)
		if err != nil {
			return nil, err
		}
		r.Rules = in.rules
		return r.Read, nil
	case nodeLink:
		r, err := nodelink.NewReader(text, path)
		if err != nil {
			return nil, err
		}
		r.Rules = in.rules
		return r.Read, nil
	case graphML:
		r, err := graphml.NewReader(text, path)
		if err != nil {
			return nil, err
		}
		r.Rules = in.rules
		return r.Read, nil
	default:
		r, err := edgelist.NewReader(text, path)
		if err != nil {
			return nil, err
		}
		r.Rules = in.rules
		return r.Read, nil
	}
}

// readTU reads the whole set of files that path is one of, and their bytes to sum. A set that was read is passed over, so
// that its files may all be named.
func (in *input) readTU(ctx context.Context, path string, sum hash.Hash) error {
	prefix, _ := tudata.Prefix(path)
	if slices.Contains(in.sets, prefix) {
		return nil
	}
	in.sets = append(in.sets, prefix)
	records, err := tudata.Read(path, in.rules, func(name string) (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		return hashed{io.TeeReader(contextReader{ctx, f}, sum), f}, nil
	})
	if err != nil {
		return err
	}
	for _, rec := range records {
		if err := in.addGraph(rec, rec.ID); err != nil {
			return err
		}
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (TU, %d records)", filepath.Base(prefix), len(records)))
	return nil
}

// hashed reads a file and hashes all of it, also what its reader leaves unread.
type hashed struct {
	io.Reader
	file *os.File
}

func (h hashed) Close() error {
	_, err := io.Copy(io.Discard, h.Reader)
	return errors.Join(err, h.file.Close())
}

// addGraph keeps a graph without atoms. id is for one that the file gives none.
func (in *input) addGraph(rec graph.Record, id string) error {
	if rec.ID != "" {
		id = rec.ID
	}
	return in.add(generic, &record{id: id, class: rec.Label, g: rec.Graph, names: rec.NodeLabels})
}

// labelNodes numbers the node labels of all graphs: as they stand when all are whole numbers of an int8, else by the order
// of their names, which a note then lists.
func (l *loader) labelNodes() error {
	names, without := make(map[string]bool), ""
	numbers := true
	for _, r := range l.records {
		if r.names == nil {
			without = r.id
			continue
		}
		for v, name := range r.names {
			if name == "" {
				return fmt.Errorf("graph %s: node %d has no label, but others have", r.id, v)
			}
			if !names[name] {
				names[name] = true
				n, err := strconv.Atoi(name)
				numbers = numbers && err == nil && n >= math.MinInt8 && n <= math.MaxInt8
			}
			if len(names) > maxNodeKinds {
				return fmt.Errorf("over %d different node labels, up to %q of graph %s", maxNodeKinds, name, r.id)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	if without != "" {
		return fmt.Errorf("graph %s has no node labels, but others have: load them one by one", without)
	}
	number := make(map[string]uint8)
	if numbers {
		for name := range names {
			n, _ := strconv.Atoi(name)
			number[name] = uint8(n + labelShift)
		}
	} else {
		var list []string
		for i, name := range sortedKeys(names) {
			number[name] = uint8(i + labelShift)
			list = append(list, fmt.Sprintf("%d %s", i, name))
		}
		l.note("node labels numbered: %s", strings.Join(list, ", "))
	}
	for _, r := range l.records {
		r.g.Labels = make([]uint8, r.g.N)
		for v, name := range r.names {
			r.g.Labels[v] = number[name]
		}
		r.names = nil
	}
	return nil
}
