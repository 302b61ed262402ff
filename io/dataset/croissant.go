package dataset

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

const croissantName = "croissant.json"

// croissantContext is the JSON-LD context of the Croissant 1.1 specification, with PROV-O added.
var croissantContext = object{
	{"@language", "en"},
	{"@vocab", "https://schema.org/"},
	{"arrayShape", "cr:arrayShape"},
	{"citeAs", "cr:citeAs"},
	{"column", "cr:column"},
	{"conformsTo", "dct:conformsTo"},
	{"containedIn", "cr:containedIn"},
	{"cr", "http://mlcommons.org/croissant/"},
	{"data", object{{"@id", "cr:data"}, {"@type", "@json"}}},
	{"dataType", object{{"@id", "cr:dataType"}, {"@type", "@vocab"}}},
	{"dct", "http://purl.org/dc/terms/"},
	{"examples", object{{"@id", "cr:examples"}, {"@type", "@json"}}},
	{"extract", "cr:extract"},
	{"field", "cr:field"},
	{"fileObject", "cr:fileObject"},
	{"fileProperty", "cr:fileProperty"},
	{"fileSet", "cr:fileSet"},
	{"format", "cr:format"},
	{"includes", "cr:includes"},
	{"isArray", "cr:isArray"},
	{"isLiveDataset", "cr:isLiveDataset"},
	{"jsonPath", "cr:jsonPath"},
	{"key", "cr:key"},
	{"md5", "cr:md5"},
	{"parentField", "cr:parentField"},
	{"path", "cr:path"},
	{"prov", "http://www.w3.org/ns/prov#"},
	{"rai", "http://mlcommons.org/croissant/RAI/"},
	{"recordSet", "cr:recordSet"},
	{"references", "cr:references"},
	{"regex", "cr:regex"},
	{"repeated", "cr:repeated"},
	{"replace", "cr:replace"},
	{"sc", "https://schema.org/"},
	{"separator", "cr:separator"},
	{"source", "cr:source"},
	{"subField", "cr:subField"},
	{"transform", "cr:transform"},
}

// Croissant renders croissant.json, a Croissant 1.1 description in JSON-LD: every part with its SHA-256, the columns with
// their types, and the run, model and training data as PROV-O provenance. The manifest must be complete.
func (f Facts) Croissant(m *Manifest, schema *arrow.Schema) ([]byte, error) {
	if f.Name == "" || f.Description == "" {
		return nil, fmt.Errorf("dataset: croissant: a name and a description are required")
	}
	date, _, _ := strings.Cut(m.Created, "T")
	if date == "" {
		return nil, fmt.Errorf("dataset: croissant: the manifest has no time of creation, and datePublished is required")
	}
	creator, url := f.Creator, f.URL
	if creator == "" {
		creator = "pfgmgen"
	}
	if url == "" {
		url = "./"
	}
	doc := object{
		{"@context", croissantContext},
		{"@type", "sc:Dataset"},
		{"conformsTo", "http://mlcommons.org/croissant/1.1"},
		{"name", f.Name},
		{"description", f.Description},
		{"license", f.license()},
		{"url", url},
		{"creator", object{{"@type", "sc:Organization"}, {"name", creator}}},
		{"datePublished", date},
	}
	if f.Citation != "" {
		doc = append(doc, member{"citeAs", f.Citation})
	}
	doc = append(doc,
		member{"version", "1.0.0"},
		member{"keywords", append([]string{"synthetic", "pfgmpp"}, f.Tags...)},
		member{"rai:dataCollection", "Synthetic: sampled from a PFGM++ generative model; nothing was measured. " + f.HowMade},
		member{"prov:wasGeneratedBy", object{
			{"@type", "prov:Activity"},
			{"@id", "run/" + m.RunID},
			{"name", "pfgmgen run"},
			{"description", f.Command},
		}},
		member{"prov:wasDerivedFrom", derivedFrom(m)},
		member{"prov:wasAttributedTo", object{{"@type", "prov:Agent"}, {"name", creator}}},
		member{"distribution", distribution(m)},
		member{"recordSet", recordSets(m, schema)},
	)
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dataset: croissant: %w", err)
	}
	return append(b, '\n'), nil
}

func derivedFrom(m *Manifest) []object {
	entities := []object{entity("model", m.Model)}
	for i, d := range m.Data {
		entities = append(entities, entity(fmt.Sprintf("training-data-%d", i), d))
	}
	return entities
}

func entity(id string, s Source) object {
	o := object{{"@type", "prov:Entity"}, {"@id", id}, {"name", s.Name}, {"sha256", s.SHA256}}
	if s.License != "" {
		o = append(o, member{"license", s.License})
	}
	if s.Origin != "" {
		o = append(o, member{"description", s.Origin})
	}
	return o
}

func mediaType(format string) string {
	if format == Arrow {
		return "application/vnd.apache.arrow.file"
	}
	return "application/x-parquet"
}

// partSet is the id of the set of all parts.
const partSet = "parts"

func distribution(m *Manifest) []object {
	var files []object
	for _, p := range m.Parts {
		files = append(files, object{
			{"@type", "cr:FileObject"},
			{"@id", p.Path},
			{"name", path.Base(p.Path)},
			{"contentUrl", p.Path},
			{"contentSize", fmt.Sprintf("%d B", p.Bytes)},
			{"encodingFormat", mediaType(m.Format)},
			{"sha256", p.SHA256},
		})
	}
	return append(files, object{
		{"@type", "cr:FileSet"},
		{"@id", partSet},
		{"name", partSet},
		{"encodingFormat", mediaType(m.Format)},
		{"includes", dataDir + "/" + m.Split + "-*." + m.Format},
	})
}

func recordSets(m *Manifest, schema *arrow.Schema) []object {
	var fields []object
	for _, f := range schema.Fields() {
		fields = append(fields, croissantField(f))
	}
	return []object{
		{
			{"@type", "cr:RecordSet"},
			{"@id", "splits"},
			{"name", "splits"},
			{"dataType", "cr:Split"},
			{"key", object{{"@id", "splits/name"}}},
			{"field", []object{{{"@type", "cr:Field"}, {"@id", "splits/name"}, {"name", "name"}, {"dataType", "sc:Text"}}}},
			{"data", []object{{{"splits/name", m.Split}}}},
		},
		{
			{"@type", "cr:RecordSet"},
			{"@id", "rows"},
			{"name", "rows"},
			{"description", fmt.Sprintf("%d rows, one per sample.", m.Counts.Written)},
			{"key", object{{"@id", "rows/" + indexColumn}}},
			{"field", fields},
		},
	}
}

func croissantField(f arrow.Field) object {
	id := "rows/" + f.Name
	extract := object{{"column", f.Name}}
	o := object{{"@type", "cr:Field"}, {"@id", id}, {"name", f.Name}}
	if about, ok := f.Metadata.GetValue(KeyAbout); ok {
		o = append(o, member{"description", about})
	}
	source := object{{"fileSet", object{{"@id", partSet}}}, {"extract", extract}}
	if feature, ok := f.Metadata.GetValue(KeyFeature); ok {
		return append(o, member{"dataType", "sc:" + feature + "Object"}, // sc:ImageObject, sc:AudioObject
			member{"source", append(source, member{"transform", object{{"jsonPath", "bytes"}}})})
	}
	t, depth := f.Type, 0
	for l, ok := t.(*arrow.ListType); ok; l, ok = t.(*arrow.ListType) {
		t, depth = l.Elem(), depth+1
	}
	if depth > 0 {
		shape := strings.TrimSuffix(strings.Repeat("-1,", depth), ",")
		o = append(o, member{"isArray", true}, member{"arrayShape", shape})
	}
	if s, ok := t.(*arrow.StructType); ok {
		var sub []object
		for _, c := range s.Fields() {
			sub = append(sub, object{
				{"@type", "cr:Field"},
				{"@id", id + "/" + c.Name},
				{"name", c.Name},
				{"dataType", croissantType(c.Type)},
				{"source", append(source[:2:2], member{"transform", object{{"jsonPath", c.Name}}})},
			})
		}
		return append(o, member{"subField", sub})
	}
	return append(o, member{"dataType", croissantType(t)}, member{"source", source})
}

func croissantType(t arrow.DataType) string {
	switch {
	case t.ID() == arrow.BOOL:
		return "sc:Boolean"
	case arrow.IsInteger(t.ID()):
		return "sc:Integer"
	case arrow.IsFloating(t.ID()):
		return "sc:Float"
	}
	return "sc:Text"
}
