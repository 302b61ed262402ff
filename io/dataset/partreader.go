package dataset

import (
	"encoding/binary"
	"fmt"
	"os"

	"github.com/xitongsys/parquet-go-source/local"
	"github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
)

// readChunk is how many rows of one column are in memory at a time.
const readChunk = 2048

// A columnReader gives back the columns of one part. read calls each for every row of column i, in order, with nil,
// bool, int64 (all integers), float32, float64, string, []byte, []any or map[string]any.
type columnReader interface {
	rows() int64
	columns() []*column
	read(i int, each func(row int64, v any)) error
	keyValues() map[string]string
	close()
}

// parquetReader reads a part with xitongsys/parquet-go, column by column. That library panics on some damaged files and
// cannot read files without rows: its callers are guarded, and open refuses the latter.
type parquetReader struct {
	path string
	r    *reader.ParquetReader
	cols []*column
	leaf []*column
	keys map[string]string
}

func openParquet(path string) (*parquetReader, error) {
	if err := checkFooter(path); err != nil {
		return nil, err
	}
	src, err := local.NewLocalFileReader(path)
	if err != nil {
		return nil, err
	}
	p := &parquetReader{path: path, keys: make(map[string]string)}
	err = guard(func() error {
		if p.r, err = reader.NewParquetColumnReader(src, 1); err != nil {
			return err
		}
		return p.buildTree()
	})
	if err == nil && p.r.GetNumRows() < 1 {
		err = fmt.Errorf("no rows")
	}
	if err != nil {
		src.Close()
		return nil, err
	}
	for _, kv := range p.r.Footer.GetKeyValueMetadata() {
		p.keys[kv.GetKey()] = kv.GetValue()
	}
	return p, nil
}

// checkFooter looks at the last bytes of a file before the library does, which trusts them.
func checkFooter(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	var tail [8]byte
	if st.Size() < 12 {
		return fmt.Errorf("%d bytes are no Parquet file", st.Size())
	}
	if _, err := f.ReadAt(tail[:], st.Size()-8); err != nil {
		return err
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:4])); string(tail[4:]) != "PAR1" || n > st.Size()-12 {
		return fmt.Errorf("no Parquet footer at the end")
	}
	return nil
}

func (p *parquetReader) rows() int64                  { return p.r.GetNumRows() }
func (p *parquetReader) columns() []*column           { return p.cols }
func (p *parquetReader) keyValues() map[string]string { return p.keys }

func (p *parquetReader) close() {
	_ = guard(func() error { p.r.ReadStop(); return nil })
	p.r.PFile.Close()
}

// buildTree turns the flat list of schema elements into the type tree. The library has renamed the elements to Go names;
// the names in the file are in SchemaHandler.Infos.
func (p *parquetReader) buildTree() error {
	elements := p.r.Footer.GetSchema()
	pos := 0
	var build func(path string, def, rep int32, depth int) (*column, error)
	build = func(path string, def, rep int32, depth int) (*column, error) {
		if pos >= len(elements) || depth > 2*maxDepth+1 {
			return nil, fmt.Errorf("schema ends early or is nested too deep")
		}
		e, name := elements[pos], p.r.SchemaHandler.Infos[pos].ExName
		pos++
		if path != "" {
			path += "\x01"
		}
		c := &column{name: name, path: path + e.GetName(), leaf: len(p.leaf)}
		switch e.GetRepetitionType() {
		case parquet.FieldRepetitionType_OPTIONAL:
			def++
		case parquet.FieldRepetitionType_REPEATED:
			def, rep = def+1, rep+1
		}
		c.def, c.rep = def, rep
		if e.GetNumChildren() == 0 {
			c.leaves, c.text = 1, e.IsSetConvertedType() && e.GetConvertedType() == parquet.ConvertedType_UTF8
			c.unsigned = unsignedWidth(e)
			p.leaf = append(p.leaf, c)
			return c, nil
		}
		c.kind = kindStruct
		for range e.GetNumChildren() {
			child, err := build(c.path, def, rep, depth+1)
			if err != nil {
				return nil, err
			}
			c.children = append(c.children, child)
		}
		c.leaves = len(p.leaf) - c.leaf
		if e.IsSetConvertedType() && e.GetConvertedType() == parquet.ConvertedType_LIST {
			// The three-level form: the group, a repeated group, the element. The repeated level becomes the list's own.
			if len(c.children) != 1 || len(c.children[0].children) != 1 {
				return nil, fmt.Errorf("column %s: a list that does not have the three-level form", name)
			}
			c.kind, c.rep = kindList, c.children[0].rep
			c.children = c.children[0].children
		}
		return c, nil
	}
	root, err := build("", 0, 0, 0)
	if err != nil {
		return err
	}
	if pos != len(elements) || root.kind != kindStruct || root.def != 0 || root.rep != 0 {
		return fmt.Errorf("the root of the schema is not a required group of all columns")
	}
	p.cols = root.children
	return nil
}

// unsignedWidth is the width of an unsigned integer of less than 64 bits, which the file holds as a signed one.
func unsignedWidth(e *parquet.SchemaElement) int {
	if !e.IsSetConvertedType() {
		return 0
	}
	switch e.GetConvertedType() {
	case parquet.ConvertedType_UINT_8:
		return 8
	case parquet.ConvertedType_UINT_16:
		return 16
	case parquet.ConvertedType_UINT_32:
		return 32
	}
	return 0
}

// read assembles the values of column i from its leaves.
func (p *parquetReader) read(i int, each func(row int64, v any)) error {
	c := p.cols[i]
	return guard(func() error {
		rows := p.rows()
		p.rewind(c)
		cursors := make([]cursor, c.leaves)
		for row := int64(0); row < rows; {
			n := min(readChunk, rows-row)
			for k := range cursors {
				leaf := p.leaf[c.leaf+k]
				values, rls, dls, err := p.r.ReadColumnByPath(leaf.path, n)
				if err != nil {
					return err
				}
				cursors[k] = cursor{values: values, rep: rls, def: dls}
			}
			a := assembler{first: c.leaf, cursors: cursors}
			for range n {
				for k := range cursors {
					if cu := &cursors[k]; cu.pos >= len(cu.def) || cu.rep[cu.pos] != 0 {
						return fmt.Errorf("%d of %d rows can be read", row, rows)
					}
				}
				v, err := a.value(c)
				if err != nil {
					return err
				}
				each(row, v)
				row++
			}
			for k := range cursors {
				if cu := &cursors[k]; cu.pos != len(cu.def) {
					return fmt.Errorf("row %d has more values than its levels say", row-1)
				}
			}
		}
		return nil
	})
}

// rewind forgets how far the leaves of a column were read; the library would go on from there.
func (p *parquetReader) rewind(c *column) {
	for _, leaf := range p.leaf[c.leaf : c.leaf+c.leaves] {
		if b := p.r.ColumnBuffers[leaf.path]; b != nil {
			b.PFile.Close()
			delete(p.r.ColumnBuffers, leaf.path)
		}
	}
}

// A cursor is a place in the triples (value, repetition level, definition level) of one leaf.
type cursor struct {
	values   []any
	rep, def []int32
	pos      int
}

// more says whether the next triple continues a list that repeats at the given level.
func (c *cursor) more(rep int32) bool { return c.pos < len(c.rep) && c.rep[c.pos] >= rep }

// An assembler puts nested values together again, as in "Dremel: Interactive Analysis of Web-Scale Datasets" (VLDB
// 2010), section 4.3, by recursion over the type tree instead of automata.
type assembler struct {
	first   int // leaf of cursors[0]
	cursors []cursor
}

func (a *assembler) value(c *column) (any, error) {
	lead := &a.cursors[c.leaf-a.first]
	if lead.pos >= len(lead.def) {
		return nil, fmt.Errorf("column %s ends inside a row", c.name)
	}
	if lead.def[lead.pos] < c.def {
		a.skip(c)
		return nil, nil
	}
	switch c.kind {
	case kindList:
		list := []any{}
		if lead.def[lead.pos] == c.def { // present, without elements
			a.skip(c)
			return list, nil
		}
		for {
			v, err := a.value(c.children[0])
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			if !lead.more(c.rep) {
				return list, nil
			}
		}
	case kindStruct:
		m := make(map[string]any, len(c.children))
		for _, f := range c.children {
			v, err := a.value(f)
			if err != nil {
				return nil, err
			}
			m[f.name] = v
		}
		return m, nil
	}
	v := lead.values[lead.pos]
	lead.pos++
	return c.convert(v)
}

// skip passes over one triple of every leaf of a node that has no value.
func (a *assembler) skip(c *column) {
	for k := range c.leaves {
		a.cursors[c.leaf-a.first+k].pos++
	}
}

// convert maps what the library gives for a leaf to the types of columnReader.
func (c *column) convert(v any) (any, error) {
	switch v := v.(type) {
	case bool, float32, float64, int64:
		return v, nil
	case int32:
		if c.unsigned > 0 {
			return int64(uint32(v)), nil
		}
		return int64(v), nil
	case string:
		if c.text {
			return v, nil
		}
		return []byte(v), nil
	}
	return nil, fmt.Errorf("column %s holds a %T", c.name, v)
}
