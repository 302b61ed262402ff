package dataset

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/store"
)

// readersDir holds the JavaScript readers; `npm ci` there installs them.
const readersDir = "../../testdata/readers"

// jsType is a type in the words of read.mjs.
func jsType(t arrow.DataType) any {
	switch t := t.(type) {
	case *arrow.ListType:
		return object{{"list", jsType(t.Elem())}}
	case *arrow.StructType:
		var o object
		for _, f := range t.Fields() {
			o = append(o, member{f.Name, jsType(f.Type)})
		}
		return object{{"struct", o}}
	}
	if arrow.IsInteger(t.ID()) {
		return "int"
	}
	return valueName(t)
}

// installReaders runs npm ci when that has not been done, or was done for another lock file.
func installReaders(t *testing.T) {
	t.Helper()
	lock, err := os.Stat(filepath.Join(readersDir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	mark, err := os.Stat(filepath.Join(readersDir, "node_modules", ".package-lock.json"))
	if err == nil && !mark.ModTime().Before(lock.ModTime()) {
		return
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = readersDir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in %s, which needs Node.js 20 or later: %v\n%s", readersDir, err, out)
	}
}

// Three readers that share no code with the writer find the rows, the values and the keys that were written.
func TestJavaScriptReaders(t *testing.T) {
	installReaders(t)
	schema := fixtureSchema()
	var types object
	for _, f := range schema.Fields() {
		types = append(types, member{f.Name, jsType(f.Type)})
	}
	typesJSON, err := json.Marshal(types)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := testOptions
	o.RowGroupRows = 1300
	w, err := Create(t.Context(), store.Dir(dir), schema, o)
	if err != nil {
		t.Fatal(err)
	}
	info := writeRows(t, w, 0, 0, 3000, 400)
	for _, reader := range []string{"hyparquet", "parquet-wasm", "duckdb"} {
		t.Run(reader, func(t *testing.T) {
			cmd := exec.Command("node", filepath.Join(readersDir, "read.mjs"), reader, filepath.Join(dir, info.Path), string(typesJSON))
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Rows    int64
				Keys    map[string]string
				Columns map[string]ColumnSum
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got.Rows != info.Rows {
				t.Errorf("%d rows, want %d", got.Rows, info.Rows)
			}
			if got.Keys["huggingface"] != huggingface(schema) {
				t.Errorf("huggingface is %q", got.Keys["huggingface"])
			}
			if got.Keys["pfgmgen.run_id"] != o.RunID || got.Keys["pfgmgen.shard"] != "0" {
				t.Errorf("keys %v", got.Keys)
			}
			for _, want := range info.Columns {
				c := got.Columns[want.Name]
				if c.NonNull != want.NonNull || c.SHA256 != want.SHA256 {
					t.Errorf("column %s: %d values with content %s, want %d with %s", want.Name, c.NonNull, c.SHA256, want.NonNull, want.SHA256)
				}
			}
		})
	}
}
