package dataset

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// Keys of the field metadata that steer how a column is written; see the package comment.
const (
	KeyDictionary   = "pfgmgen.dictionary"
	KeyFeature      = "pfgmgen.feature"
	KeySamplingRate = "pfgmgen.sampling_rate"
	KeyAbout        = "pfgmgen.about"
)

// indexColumn is the one column that every part must have.
const indexColumn = "sample_index"

// maxDepth bounds the nesting of lists and structs.
const maxDepth = 8

var columnName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// dictionaryColumns are written with a dictionary without asking.
var dictionaryColumns = map[string]bool{"label": true, "domain": true, "family": true, "violations": true, "warnings": true}

// checkSchema refuses what cannot be written so that every reader reads it.
func checkSchema(s *arrow.Schema) error {
	if s == nil || s.NumFields() == 0 {
		return fmt.Errorf("dataset: the schema has no columns")
	}
	seen := make(map[string]string)
	for _, f := range s.Fields() {
		if !columnName.MatchString(f.Name) {
			return fmt.Errorf("dataset: column name %q: want a letter or underscore, then letters, digits and underscores, at most 128", f.Name)
		}
		if other, ok := seen[strings.ToLower(f.Name)]; ok {
			return fmt.Errorf("dataset: columns %q and %q: names must differ in more than case, some readers fold it", other, f.Name)
		}
		seen[strings.ToLower(f.Name)] = f.Name
		if err := checkField(f.Name, f, 1); err != nil {
			return err
		}
		if err := checkFeature(f); err != nil {
			return err
		}
	}
	i := s.FieldIndices(indexColumn)
	if len(i) != 1 || s.Field(i[0]).Type.ID() != arrow.INT64 {
		return fmt.Errorf("dataset: the schema needs a column %s of type int64, by which rows are found again", indexColumn)
	}
	return nil
}

func checkField(path string, f arrow.Field, depth int) error {
	if !f.Nullable {
		return fmt.Errorf("dataset: column %s is not nullable: make it so, Hugging Face features apply to nullable types only", path)
	}
	if depth > maxDepth {
		return fmt.Errorf("dataset: column %s is nested more than %d deep", path, maxDepth)
	}
	switch t := f.Type.(type) {
	case *arrow.ListType:
		return checkField(path+".element", t.ElemField(), depth+1)
	case *arrow.StructType:
		if t.NumFields() == 0 {
			return fmt.Errorf("dataset: column %s is a struct without fields, which Parquet cannot hold", path)
		}
		seen := make(map[string]bool)
		for _, c := range t.Fields() {
			if !columnName.MatchString(c.Name) || seen[strings.ToLower(c.Name)] {
				return fmt.Errorf("dataset: column %s: field name %q is not a name of letters, digits and underscores, or comes twice", path, c.Name)
			}
			seen[strings.ToLower(c.Name)] = true
			if err := checkField(path+"."+c.Name, c, depth+1); err != nil {
				return err
			}
		}
		return nil
	case *arrow.FixedSizeListType:
		return fmt.Errorf("dataset: column %s is a %s: arrow v15 writes its values as nulls; use a list and check the length", path, t)
	}
	if valueName(f.Type) == "" {
		return fmt.Errorf("dataset: column %s: type %s is not supported; use bool, an integer, float32, float64, utf8, binary, or lists and structs of these", path, f.Type)
	}
	return nil
}

// checkFeature compares a column's type with the feature that its metadata asks for.
func checkFeature(f arrow.Field) error {
	feature, ok := f.Metadata.GetValue(KeyFeature)
	if !ok {
		return nil
	}
	if feature != "Image" && feature != "Audio" {
		return fmt.Errorf("dataset: column %s: %s is %q, want Image or Audio", f.Name, KeyFeature, feature)
	}
	t, ok := f.Type.(*arrow.StructType)
	if !ok || t.NumFields() != 2 || t.Field(0).Name != "bytes" || t.Field(0).Type.ID() != arrow.BINARY ||
		t.Field(1).Name != "path" || t.Field(1).Type.ID() != arrow.STRING {
		return fmt.Errorf("dataset: column %s: an %s is struct<bytes: binary, path: utf8>, not %s", f.Name, feature, f.Type)
	}
	if rate, ok := f.Metadata.GetValue(KeySamplingRate); ok {
		if n, err := strconv.Atoi(rate); err != nil || n <= 0 {
			return fmt.Errorf("dataset: column %s: %s is %q, want a positive whole number of Hz", f.Name, KeySamplingRate, rate)
		}
	}
	return nil
}

// valueName is the name of a plain type in Hugging Face features and in the manifest, empty for others.
func valueName(t arrow.DataType) string {
	switch t.ID() {
	case arrow.BOOL, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64,
		arrow.FLOAT32, arrow.FLOAT64, arrow.BINARY:
		return t.Name() // bool, int8 ... float32, float64, binary
	case arrow.STRING:
		return "string"
	}
	return ""
}

// typeName is the type of a column for people and for the manifest: string, list<int64>, struct<bytes: binary, ...>.
func typeName(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.ListType:
		return "list<" + typeName(t.Elem()) + ">"
	case *arrow.StructType:
		var parts []string
		for _, f := range t.Fields() {
			parts = append(parts, f.Name+": "+typeName(f.Type))
		}
		return "struct<" + strings.Join(parts, ", ") + ">"
	}
	return valueName(t)
}

// wantsDictionary says whether a top-level column has few distinct values.
func wantsDictionary(f arrow.Field) bool {
	v, ok := f.Metadata.GetValue(KeyDictionary)
	if ok {
		return v == "true"
	}
	return dictionaryColumns[f.Name]
}

// object is a JSON object that keeps the order of its keys.
type object []member

type member struct {
	key   string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// huggingface is the value of the schema metadata key of that name: the features of the `datasets` library.
func huggingface(s *arrow.Schema) string {
	var features object
	for _, f := range s.Fields() {
		features = append(features, member{f.Name, feature(f)})
	}
	b, err := json.Marshal(object{{"info", object{{"features", features}}}})
	if err != nil {
		panic("dataset: " + err.Error()) // strings only: cannot fail
	}
	return string(b)
}

func feature(f arrow.Field) object {
	if name, ok := f.Metadata.GetValue(KeyFeature); ok {
		if rate, ok := f.Metadata.GetValue(KeySamplingRate); ok {
			return object{{"sampling_rate", json.Number(rate)}, {"_type", name}}
		}
		return object{{"_type", name}}
	}
	switch t := f.Type.(type) {
	case *arrow.ListType:
		return object{{"feature", feature(t.ElemField())}, {"_type", "List"}}
	case *arrow.StructType:
		var o object
		for _, c := range t.Fields() {
			o = append(o, member{c.Name, feature(c)})
		}
		return o
	}
	return object{{"dtype", valueName(f.Type)}, {"_type", "Value"}}
}
