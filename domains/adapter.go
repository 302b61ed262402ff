package domains

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/validate"
)

// A Domain is a kind of data: RNA, antibodies, images. It reads the field's files and makes adapters.
type Domain interface {
	// Name is the value of --domain.
	Name() string
	// Describe says what the domain reads, writes and checks, for `pfgmgen domains NAME`.
	Describe() Description
	// Load reads data files and fits an adapter to the training part of them. Errors name the file, the record and
	// the position.
	Load(ctx context.Context, o LoadOptions) (*Data, error)
	// Open rebuilds an adapter from the settings that a model carries (Adapter.Settings). Settings are untrusted:
	// anything inconsistent or unreasonably large is an error.
	Open(settings json.RawMessage) (Adapter, error)
}

// LoadOptions are what the user says about training data. The zero value of every field but Paths is a default.
type LoadOptions struct {
	Paths []string // data files, at least one
	// Split is a table with columns id or sequence, and split (train, valid, test), for data files that carry no
	// split of their own. Without either, a tenth is held out by a hash of the record.
	Split string
	// Settings are domain-specific choices by name, such as representation=aligned; an unknown name or
	// value is an error that wraps ErrSetting.
	Settings map[string]string
}

// An Adapter maps the records of one model between their own form and a vector. Fit measures the vectors of the training
// data and brings them to mean 0 and standard deviation 0.5, which is model space; adapters keep their natural
// scale. An Adapter is immutable and safe for concurrent use.
type Adapter interface {
	// Shape is the shape of one sample without the batch; its product is the length of x below.
	Shape() []int
	// Free is the N of PFGM++: the number of independent coordinates.
	Free() int
	// Labels are the names of the classes, empty when the model is unconditional.
	Labels() []string
	// Settings are what Domain.Open needs to rebuild this adapter, as canonical JSON.
	Settings() json.RawMessage
	// Fields are the domain's own columns, in order, all nullable.
	Fields() []arrow.Field
	// Decode turns one sample, on the adapter's scale, into a row and checks it. label is its class, -1 for none. It accepts any
	// x, NaN and infinities included, and never panics; what cannot be valid is said in the row's verdict.
	Decode(x []float64, label int) Row
}

// Masked is implemented by adapters whose samples do not all have every coordinate, such as graphs of different sizes. They
// encode an absent coordinate as exactly 0 and a present one as anything else; Decode sees the zeros.
type Masked interface {
	// Mask sets to 0 the coordinates of the start of a sample that it will not have. What is random about its size is
	// drawn from r; label is its class, -1 for none. It leaves at least one coordinate.
	Mask(x []float64, label int, r *rand.Rand)
}

// Paired is implemented by adapters with channels about two positions of a [positions, channels] shape, such as the edges
// of a graph: channel first+(k-1)*types+t of position i, for k = 1 to window, is number t of the pair of i and i-k.
type Paired interface {
	Pairs() (first, window, types int)
}

// A Row is one decoded and checked sample.
type Row interface {
	Verdict() validate.Verdict
	// Confidence tells how decided the decoding was: margin is the mean gap between the best and the second-best
	// choice in encoded units, entropy the mean entropy in bits over the positions.
	Confidence() (margin, entropy float32)
	// Key identifies the content, for counting distinct rows; equal content means equal keys.
	Key() string
	// Append adds the row to the builders of the adapter's Fields, one value to each.
	Append(b []array.Builder)
}

// ErrNoForm is wrapped by Exporter.Export for a row that the format cannot hold.
var ErrNoForm = errors.New("this row has no form in the format")

// An Exporter is a Row that can also be written in a plain format of its field. Formats are listed by
// Description.Exports.
type Exporter interface {
	// Export writes the row, called id, in the given format. Where this row has no form in it, such as a molecule with more
	// open rings than SMILES can say, the error wraps ErrNoForm and nothing is written: the row is left out.
	Export(w io.Writer, format, id string) error
}

// ExportHeader is implemented by adapters with a format whose files begin with something before the first row.
type ExportHeader interface {
	ExportHeader(w io.Writer, format string) error
}

// Data is a loaded data set with the adapter fitted to its training part.
type Data struct {
	Adapter Adapter
	Train   Examples // what the model learns from
	Valid   Examples // held out: loss only
	License string   // as far as the files say; "unknown" otherwise
	Source  string   // for people: file names, counts
	SHA256  string   // over all data files in order, hex
	Hints   Hints
	Notes   []string // what loading changed or left out, for people: "11 records with ambiguity letters dropped"
}

// Hints are what suits the data in training and sampling, in model space. Zero is the program's default, which is for
// discrete data: they are decided far above the smallest noise.
type Hints struct {
	LnSigmaMean, LnSigmaStd float64 // of the noise levels in training
	SigmaMin, SigmaMax, Rho float64 // of the schedule
	Steps                   int     // of the schedule
	Guidance                float64 // by labels
}

// Examples are records that can be encoded.
type Examples interface {
	Len() int
	// Encode writes example i to dst, which has the length of the adapter's shape, on the adapter's scale, and returns its
	// class, or -1.
	Encode(dst []float64, i int) int
	// Key identifies the content of example i as Row.Key does.
	Key(i int) string
}

// A Description is what `pfgmgen domains` prints.
type Description struct {
	Name, About string
	Inputs      []string // formats read, one sentence each
	Settings    []Item   // names for LoadOptions.Settings
	Columns     []Item   // the domain's own columns with type and unit
	Checks      []Item   // codes of the gates with their rules; hard ones first
	Conditions  []string // what a model can be conditioned on
	Exports     []string // plain formats for --also: "fasta"
}

// An Item is a name and what it means.
type Item struct{ Name, About string }
