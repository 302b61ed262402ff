package pipeline

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

// newPoints is the exact denoiser of points, D = 32.
func newPoints(y [][]float64) sampler.Denoiser { return samplertest.NewPoints(y, nil, 32) }

// A plainAdapter's rows cannot be exported.
type plainAdapter struct{ *wordAdapter }

func (a plainAdapter) Decode(x []float64, label int) domains.Row {
	return plainRow{a.wordAdapter.Decode(x, label)}
}

type plainRow struct{ domains.Row }

type observe func(Progress)

func (f observe) Observe(p Progress) { f(p) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestPlanRoundTrip(t *testing.T) {
	p := wordPlan(1<<40, func(p *Plan) {
		p.Seed = 1<<63 - 1 // beyond what a float64 holds
		p.SigmaMin = 1.0 / 3
		p.Labels, p.Also = []string{"<a & b>", "c"}, []string{"fasta"}
		p.ShardRows = 1 << 30
	})
	b := p.JSON()
	q, err := ParsePlan(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, q) || string(q.JSON()) != string(b) {
		t.Errorf("plan %+v came back as %+v", p, q)
	}
	longer := p
	longer.NumSamples += 5
	if len(p.SHA256()) != 64 || p.RunID() != p.RecipeSHA256()[:12] || longer.SHA256() == p.SHA256() || longer.RunID() != p.RunID() {
		t.Errorf("run ids %s and %s of %s and %s", p.RunID(), longer.RunID(), p.SHA256(), longer.SHA256())
	}
}

// The record is a format: equal settings must give this text, and so this hash, for as long as Version is 2.
func TestPlanJSONIsCanonical(t *testing.T) {
	const want = `{"batch":8,"domain":"words","format":"test","guidance":1,"invalid":"resample","max_attempts":8,` +
		`"model":{"d":"32","n":12,"sha256":"abababababababababababababababababababababababababababababababab","size":12},` +
		`"num_samples":10,"plan_version":2,"provider":"go","rho":7,"seed":7,"shard_rows":1048576,"sigma_max":20,"sigma_min":0.05,` +
		`"solver":"heun","steps":4}`
	if got := string(wordPlan(10, nil).JSON()); got != want {
		t.Errorf("plan record\n%s\nwant\n%s", got, want)
	}
}

func TestEverySettingChangesTheHash(t *testing.T) {
	base := wordPlan(10, nil)
	changes := map[string]func(*Plan){
		"domain":       func(p *Plan) { p.Domain = "x" },
		"model.sha256": func(p *Plan) { p.Model.SHA256 = strings.Repeat("cd", 32) },
		"model.d":      func(p *Plan) { p.Model.D = FormatD(math.Inf(1)) },
		"model.n":      func(p *Plan) { p.Model.Free = 3 },
		"model.size":   func(p *Plan) { p.Model.Size = 13 },
		"num_samples":  func(p *Plan) { p.NumSamples++ },
		"seed":         func(p *Plan) { p.Seed++ },
		"solver":       func(p *Plan) { p.Solver = "euler" },
		"steps":        func(p *Plan) { p.Steps++ },
		"sigma_min":    func(p *Plan) { p.SigmaMin *= 2 },
		"sigma_max":    func(p *Plan) { p.SigmaMax *= 2 },
		"rho":          func(p *Plan) { p.Rho++ },
		"guidance":     func(p *Plan) { p.Guidance++ },
		"labels":       func(p *Plan) { p.Labels = []string{"a"} },
		"label_counts": func(p *Plan) { p.LabelCounts = []int64{10} },
		"label_shares": func(p *Plan) { p.LabelShares = []float64{1} },
		"batch":        func(p *Plan) { p.Batch++ },
		"invalid":      func(p *Plan) { p.Invalid = Keep },
		"max_attempts": func(p *Plan) { p.MaxAttempts++ },
		"shard_rows":   func(p *Plan) { p.ShardRows++ },
		"format":       func(p *Plan) { p.Format = "arrow" },
		"also":         func(p *Plan) { p.Also = []string{"fasta"} },
		"provider":     func(p *Plan) { p.Provider = "cuda" },
		"plan_version": func(p *Plan) { p.Version++ },
	}
	for name, change := range changes {
		p := base
		change(&p)
		if p.SHA256() == base.SHA256() {
			t.Errorf("%s does not change the hash", name)
		}
		d := Diff(base, p)
		if len(d) != 1 || d[0].Name != name {
			t.Errorf("%s: differences %v", name, d)
		}
	}
	if len(changes) != len(flat(wordPlan(1, func(p *Plan) {
		p.Labels, p.LabelCounts, p.LabelShares, p.Also = []string{"a"}, []int64{1}, []float64{1}, []string{"b"}
	}))) {
		t.Error("a setting of the plan is missing from this test")
	}
	if d := Diff(base, base); len(d) != 0 {
		t.Errorf("a plan differs from itself: %v", d)
	}
}

func TestDiffSaysBothValues(t *testing.T) {
	d := Diff(wordPlan(10, nil), wordPlan(20, func(p *Plan) { p.Labels = []string{"a"} }))
	var lines []string
	for _, x := range d {
		lines = append(lines, x.String())
	}
	if got, want := strings.Join(lines, "; "), `labels: none against ["a"]; num_samples: 10 against 20`; got != want {
		t.Errorf("differences %q, want %q", got, want)
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"num_samples":  func(p *Plan) { p.NumSamples = 0 },
		"seed":         func(p *Plan) { p.Seed = 1 << 63 },
		"steps":        func(p *Plan) { p.Steps = 0 },
		"1 to 10000":   func(p *Plan) { p.Steps = 1e9 },
		"solver":       func(p *Plan) { p.Solver = "rk4" },
		"sigma range":  func(p *Plan) { p.SigmaMin = p.SigmaMax },
		"rho":          func(p *Plan) { p.Rho = 0 },
		"guidance":     func(p *Plan) { p.Guidance = math.NaN() },
		"batch":        func(p *Plan) { p.Batch = 0 },
		"invalid":      func(p *Plan) { p.Invalid = "ignore" },
		"max_attempts": func(p *Plan) { p.MaxAttempts = 0 },
		"shard_rows":   func(p *Plan) { p.ShardRows = 0 },
		"more than":    func(p *Plan) { p.NumSamples, p.ShardRows = 1000000, 1 },
		"format":       func(p *Plan) { p.Format = "" },
		"provider":     func(p *Plan) { p.Provider = "" },
		"domain":       func(p *Plan) { p.Domain = "" },
		"model.sha256": func(p *Plan) { p.Model.SHA256 = "12" },
		"plan_version": func(p *Plan) { p.Version = 0 },
		"twice":        func(p *Plan) { p.Labels = []string{"a", "a"} },
		"add up":       func(p *Plan) { p.Labels, p.LabelCounts = []string{"a", "b"}, []int64{4, 5} },
		"label_counts": func(p *Plan) { p.Labels, p.LabelCounts = []string{"a", "b"}, []int64{10} },
		"count of":     func(p *Plan) { p.Labels, p.LabelCounts = []string{"a", "b"}, []int64{math.MaxInt64, math.MaxInt64} },
	} {
		p := wordPlan(10, nil)
		change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	p := wordPlan(0, func(p *Plan) { p.Batch, p.Solver = -1, "x" })
	for _, part := range []string{"num_samples", "batch", "solver"} {
		if err := p.Validate(); !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not name %s", err, part)
		}
	}
}

func TestParsePlanRefuses(t *testing.T) {
	good := string(wordPlan(10, nil).JSON())
	for name, text := range map[string]string{
		"nothing":         "",
		"not JSON":        "plan",
		"another version": strings.Replace(good, `"plan_version":2`, `"plan_version":1`, 1),
		"unknown setting": strings.Replace(good, `"batch"`, `"precision":"fp16","batch"`, 1),
		"two objects":     good + good,
		"out of range":    strings.Replace(good, `"num_samples":10`, `"num_samples":-1`, 1),
	} {
		if _, err := ParsePlan([]byte(text)); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add(wordPlan(10, nil).JSON())
	f.Add([]byte(`{"plan_version":2,"labels":["a"],"label_counts":[9223372036854775807]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePlan(b)
		if err != nil {
			return
		}
		q, err := ParsePlan(p.JSON())
		if err != nil || q.SHA256() != p.SHA256() {
			t.Errorf("plan of %s does not survive its own record: %v", b, err)
		}
	})
}

func TestLabelling(t *testing.T) {
	names := []string{"a", "b", "c"}
	for _, tc := range []struct {
		labels []string
		counts []int64
		want   []int
	}{
		{[]string{"c"}, nil, []int{2, 2, 2, 2, 2, 2}},
		{[]string{"a", "b", "c"}, nil, []int{0, 1, 2, 0, 1, 2}},
		{[]string{"c", "a"}, nil, []int{2, 0, 2, 0, 2, 0}},
		{[]string{"c", "a"}, []int64{4, 2}, []int{2, 2, 2, 2, 0, 0}},
		{[]string{"b"}, []int64{6}, []int{1, 1, 1, 1, 1, 1}},
	} {
		l, err := newLabelling(wordPlan(6, func(p *Plan) { p.Labels, p.LabelCounts = tc.labels, tc.counts }), names)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range tc.want {
			if got := l.class(int64(i)); got != want {
				t.Errorf("%v %v: class of sample %d is %d, want %d", tc.labels, tc.counts, i, got, want)
			}
		}
	}
	if l, err := newLabelling(wordPlan(6, nil), nil); err != nil || l.class(3) != -1 {
		t.Errorf("unconditional: %v", err)
	}
	for _, labels := range [][]string{nil, {"x"}} {
		if _, err := newLabelling(wordPlan(6, func(p *Plan) { p.Labels = labels }), names); err == nil {
			t.Errorf("labels %v were accepted", labels)
		}
	}
}

// Every index is in exactly one block, blocks do not cross shards, and each shard has one last block.
func TestLayoutCoversEveryIndexOnce(t *testing.T) {
	for _, tc := range []struct {
		n, shard int64
		batch    int
	}{{1, 1, 1}, {10, 3, 2}, {5000, 1024, 8}, {5000, 1000, 7}, {5000, 1 << 40, 3}, {100, 100, 100}, {101, 100, 1}} {
		p := wordPlan(tc.n, func(p *Plan) { p.ShardRows, p.Batch = tc.shard, tc.batch })
		l := newLayout(p)
		var at int64
		lasts := 0
		for at < tc.n {
			b := l.block(int(at/tc.shard), at)
			if b.begins != (at%tc.shard == 0) {
				t.Errorf("%+v: block at %d has begins %v", tc, at, b.begins)
			}
			if b.first != at || len(b.rows) == 0 || int64(b.shard) != at/tc.shard || (at+int64(len(b.rows))-1)/tc.shard != at/tc.shard {
				t.Fatalf("%+v: block %+v at %d", tc, b, at)
			}
			at += int64(len(b.rows))
			if b.last != (at == tc.n || at%tc.shard == 0) {
				t.Errorf("%+v: block that ends at %d has last %v", tc, at, b.last)
			}
			if b.last {
				lasts++
			}
		}
		if at != tc.n || lasts != l.shards() {
			t.Errorf("%+v: blocks end at %d with %d shards, want %d", tc, at, lasts, l.shards())
		}
	}
}

func TestCutPadsWithTheLastSample(t *testing.T) {
	b := &block{first: 100, attempt: 2, rows: make([]settled, 50)}
	got := b.cut([]int{3, 7, 9}, 2, labelling{})
	want := [][]sampler.ID{{{Index: 103, Attempt: 2}, {Index: 107, Attempt: 2}}, {{Index: 109, Attempt: 2}, {Index: 109, Attempt: 2}}}
	for k, m := range got {
		if !reflect.DeepEqual(m.ids, want[k]) {
			t.Errorf("micro-batch %d has %v, want %v", k, m.ids, want[k])
		}
	}
	if len(got) != 2 || len(got[1].slots) != 1 {
		t.Errorf("%d micro-batches, %d slots in the last", len(got), len(got[1].slots))
	}
}

func TestSchemaRefusesARepeatedName(t *testing.T) {
	a := &wordAdapter{}
	f := a.Fields()
	f[0].Name = "Valid"
	if _, err := Schema(f, nil); err == nil {
		t.Error("a second column called valid was accepted")
	}
}

func TestSchemaDescribesColumns(t *testing.T) {
	s, err := Schema((&wordAdapter{}).Fields(), []domains.Item{{Name: "word", About: "string: four letters"}})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := s.FieldsByName("word")
	if about, _ := f[0].Metadata.GetValue("pfgmgen.about"); about != "four letters" {
		t.Errorf("about is %q", about)
	}
}
