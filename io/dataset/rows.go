package dataset

import (
	"context"
	"fmt"
	"slices"

	"pfgmgen/io/store"
)

// A Row is one row of a dataset by column name. Values are nil (null), bool, int64 (every integer type), float32,
// float64, string, []byte, []any (lists) or map[string]any (structs).
type Row map[string]any

// Rows reads the rows with the given sample_index from the dataset in a place, in the order asked for, with the same
// readers as VerifyParts. An index without a row, rejected or never planned, gives a nil Row. Columns limits what is
// read; without any, all columns are. Only parts in whose index range something was asked for are opened.
func Rows(ctx context.Context, st store.Store, m *Manifest, index []int64, columns ...string) ([]Row, error) {
	wanted := make(map[string]bool)
	for _, c := range columns {
		wanted[c] = true
	}
	for _, c := range m.Columns {
		delete(wanted, c.Name)
	}
	for name := range wanted {
		return nil, fmt.Errorf("dataset: %s: no column %q", st, name)
	}
	for _, c := range columns {
		wanted[c] = true
	}
	found := make(map[int64]Row)
	for _, p := range m.Parts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ask := make(map[int64]bool)
		for _, i := range index {
			if p.FirstIndex <= i && i <= p.LastIndex {
				ask[i] = true
			}
		}
		if len(ask) == 0 {
			continue
		}
		if err := readRows(ctx, st, m.Format, p, ask, wanted, found); err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", at(st, p.Path), err)
		}
	}
	rows := make([]Row, len(index))
	for k, i := range index {
		rows[k] = found[i]
	}
	return rows, nil
}

// readRows puts the rows of one part whose index is asked for into found.
func readRows(ctx context.Context, st store.Store, format string, p PartInfo, ask map[int64]bool, wanted map[string]bool, found map[int64]Row) error {
	path, done, err := st.Local(ctx, p.Path)
	if err != nil {
		return err
	}
	defer done()
	r, err := openPart(path, format)
	if err != nil {
		return err
	}
	defer r.close()
	cols := r.columns()
	at := slices.IndexFunc(cols, func(c *column) bool { return c.name == indexColumn })
	if at < 0 {
		return fmt.Errorf("no column %s", indexColumn)
	}
	rows := make(map[int64]Row) // by position in the part
	err = r.read(at, func(row int64, v any) {
		if i, ok := v.(int64); ok && ask[i] {
			rows[row] = Row{}
			found[i] = rows[row]
		}
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	for i, c := range cols {
		if len(wanted) > 0 && !wanted[c.name] {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err := r.read(i, func(row int64, v any) {
			if m := rows[row]; m != nil {
				m[c.name] = v
			}
		})
		if err != nil {
			return fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return nil
}
