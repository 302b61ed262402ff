package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains/all"
	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/models"
	"pfgmgen/pipeline"
	"pfgmgen/sampler"
)

// verifyOptions are the settings of pfgmgen verify.
type verifyOptions struct {
	dir    string
	rows   int
	seed   uint64
	model  string
	engine engineChoice
	given  func(flag string) bool
}

func verifyCommand(e *env) *cli.Command {
	const with = "what to compute with"
	o := &verifyOptions{}
	return &cli.Command{
		Name:      "verify",
		Usage:     "check a dataset against its manifest and draw some of its rows again",
		UsageText: "pfgmgen verify DIR|URL [flags]",
		Description: `Reads every part with a Parquet reader that shares no code with the writer, compares bytes, rows, columns and values with
the manifest, and draws some rows again from the model to compare them bit by bit. Ends with 1 when anything differs.

Examples:
  pfgmgen verify out/rna
  pfgmgen verify out/rna --rows 200              draw more rows again
  pfgmgen verify mine --model mine.onnx          a dataset of a model of your own`,
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "rows", Category: "what to check", Usage: "draw `N` rows again; 0 for none", Value: 16, Destination: &o.rows},
			&cli.Uint64Flag{Name: "seed", Category: "what to check", Usage: "`SEED` of the choice of rows", DefaultText: "of the run", Destination: &o.seed},
			&cli.StringFlag{Name: "model", Category: "what to check", Usage: "`FILE` of the model, when it is not built in", Destination: &o.model},
			&cli.IntFlag{Name: "threads", Category: with, Usage: "`N` CPU threads work on one batch", Value: 1, Destination: &o.engine.threads},
			&cli.StringFlag{Name: "onnxruntime", Category: with, Usage: "`PATH` of the ONNX Runtime library or its folder", DefaultText: "looked for", Destination: &o.engine.library},
		},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			o.dir, o.given = args[0], c.IsSet
			return verify(c.Context, e, *o)
		},
	}
}

// A verifyResult is what pfgmgen verify --json prints.
type verifyResult struct {
	Dir         string            `json:"dir"`
	RunID       string            `json:"run_id"`
	Parts       int               `json:"parts"`
	Rows        int64             `json:"rows"`
	Regenerated int               `json:"regenerated"` // rows drawn again
	Note        string            `json:"note,omitempty"`
	Findings    []dataset.Finding `json:"findings"` // ways in which the dataset is not what its manifest says
}

var errDiffers = errors.New("the dataset is not what its manifest says")

// verify is pfgmgen verify.
func verify(ctx context.Context, e *env, o verifyOptions) error {
	if o.rows < 0 {
		return usageErrorf("--rows is %d, want 0 or more", o.rows)
	}
	st, err := e.openPlace(ctx, o.dir)
	if err != nil {
		return err
	}
	defer st.Close()
	man, err := readManifest(ctx, st)
	if err != nil {
		return err
	}
	res := verifyResult{Dir: o.dir, RunID: man.RunID, Parts: len(man.Parts), Rows: man.Counts.Written, Findings: []dataset.Finding{}}
	if res.Findings, err = dataset.VerifyParts(ctx, st, man); err != nil {
		return err
	}
	plan, err := pipeline.ParsePlan(man.Settings)
	switch {
	case err != nil:
		res.Findings = append(res.Findings, dataset.Finding{Path: "manifest.json", What: "settings", Want: "a plan", Got: err.Error()})
	case plan.SHA256() != man.SpecSHA256:
		res.Findings = append(res.Findings, dataset.Finding{Path: "manifest.json", What: "sha256 of the settings", Want: man.SpecSHA256, Got: plan.SHA256()})
	case o.rows > 0 && man.Counts.Written > 0:
		if err := regenerate(ctx, e, o, st, man, plan, &res); err != nil {
			return err
		}
	}
	if res.Findings == nil {
		res.Findings = []dataset.Finding{}
	}
	for _, f := range res.Findings {
		e.warn("%s", f)
	}
	if res.Note != "" {
		e.warn("%s", res.Note)
	}
	if err := e.print(res, func(w io.Writer) error { return nil }); err != nil {
		return err
	}
	if n := len(res.Findings); n > 0 {
		return fmt.Errorf("verify %s: %s: %w. To make what differs again, run the same pfgmgen run command", o.dir, plural(n, "difference"), errDiffers)
	}
	again := fmt.Sprintf("%s drawn again are equal", plural(res.Regenerated, "row"))
	if res.Regenerated == 0 {
		again = "no row was drawn again"
	}
	e.info("%s: %s in %s as the manifest says; %s", o.dir, plural(int(res.Rows), "row"), plural(res.Parts, "part"), again)
	return nil
}

// readManifest reads the manifest of a finished dataset.
func readManifest(ctx context.Context, st store.Store) (*dataset.Manifest, error) {
	man, err := dataset.ReadManifest(ctx, st)
	if errors.Is(err, fs.ErrNotExist) {
		if _, planErr := dataset.ReadPlan(ctx, st); planErr == nil {
			return nil, fmt.Errorf("%s: the run that writes here has not finished: run the same pfgmgen run command again (%w)", st, err)
		}
		return nil, fmt.Errorf("%s is not a dataset of pfgmgen: %w", st, err)
	}
	return man, err
}

// regenerate draws rows again and compares them with the file.
func regenerate(ctx context.Context, e *env, o verifyOptions, st store.Store, man *dataset.Manifest, plan pipeline.Plan, res *verifyResult) error {
	m, err := modelOf(o, man)
	if err != nil {
		return err
	}
	if m == nil {
		res.Note = fmt.Sprintf("no row was drawn again: the model %s is not at hand; give its file with --model", man.Model.Name)
		return nil
	}
	want, err := pick(ctx, o, st, man, plan)
	if err != nil && len(res.Findings) > 0 && ctx.Err() == nil {
		res.Note = fmt.Sprintf("no row was drawn again: %v", err) // the findings say what is wrong with the parts
		return nil
	}
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	o.engine.devices = plan.Provider
	eng, err := openEngine(ctx, e, m, o.engine)
	if err != nil {
		return err
	}
	defer eng.close()
	ids := make([]sampler.ID, len(want))
	for i, row := range want {
		index, okIndex := row["sample_index"].(int64)
		attempt, okAttempt := row["attempt"].(int64)
		if !okIndex || !okAttempt || attempt < 0 || attempt > math.MaxInt32 {
			return fmt.Errorf("row %v has no sample_index and attempt to draw it by", row["sample_id"])
		}
		ids[i] = sampler.ID{Index: index, Attempt: int32(attempt)}
	}
	rec, err := pipeline.Regenerate(ctx, plan, eng.parts(m, 1), ids)
	if err != nil {
		return err
	}
	defer rec.Release()
	got, err := dataset.RecordRows(rec)
	if err != nil {
		return err
	}
	for i := range want {
		for _, c := range man.Columns {
			if a, b := want[i][c.Name], got[i][c.Name]; !equal(a, b) {
				res.Findings = append(res.Findings, dataset.Finding{Path: fmt.Sprintf("sample %d", ids[i].Index), What: "column " + c.Name + " drawn again",
					Want: fmt.Sprint(a), Got: fmt.Sprint(b)})
			}
		}
	}
	res.Regenerated = len(want)
	if now := eng.runtime.Version(); len(res.Findings) > 0 && man.Versions["onnxruntime"] != now {
		res.Note = fmt.Sprintf("the dataset was made with ONNX Runtime %s, this is %s: the last bits of numbers may differ between them", man.Versions["onnxruntime"], now)
	}
	return nil
}

// modelOf finds the model of a dataset; nil when it is not at hand. A file that the user gives must be the one.
func modelOf(o verifyOptions, man *dataset.Manifest) (*model, error) {
	registry := all.Registry()
	if o.model != "" {
		m, err := findModel(registry, "", o.model)
		if err != nil {
			return nil, err
		}
		if m.sha256 != man.Model.SHA256 {
			return nil, fmt.Errorf("model %s has the sha256 %s, the dataset was made with %s", o.model, m.sha256, man.Model.SHA256)
		}
		return m, nil
	}
	for _, b := range models.List() {
		m := builtIn(b)
		if err := m.open(registry, ""); err != nil {
			return nil, err
		}
		if m.sha256 == man.Model.SHA256 {
			return m, nil
		}
	}
	return nil, nil
}

// pick reads up to o.rows rows: the first of the dataset and others at random, the same for the same seed.
func pick(ctx context.Context, o verifyOptions, st store.Store, man *dataset.Manifest, plan pipeline.Plan) ([]dataset.Row, error) {
	seed := plan.Seed
	if o.given("seed") {
		seed = o.seed
	}
	random := rand.New(rand.NewPCG(seed, 0x7665726966790000))
	chosen := map[int64]bool{man.Parts[0].FirstIndex: true}
	// Not every index has a row, so more are asked for than needed.
	for tries := 0; tries < 8*o.rows && len(chosen) < 4*o.rows; tries++ {
		p := man.Parts[random.IntN(len(man.Parts))]
		chosen[p.FirstIndex+random.Int64N(p.LastIndex-p.FirstIndex+1)] = true
	}
	index := make([]int64, 0, len(chosen))
	for i := range chosen {
		index = append(index, i)
	}
	slices.Sort(index)
	random.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })
	rows, err := dataset.Rows(ctx, st, man, index)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r dataset.Row) bool { return r == nil })
	return rows[:min(o.rows, len(rows))], nil
}

// equal compares values of rows, numbers by their bits, so that NaN equals itself.
func equal(a, b any) bool {
	switch x := a.(type) {
	case float32:
		y, ok := b.(float32)
		return ok && math.Float32bits(x) == math.Float32bits(y)
	case float64:
		y, ok := b.(float64)
		return ok && math.Float64bits(x) == math.Float64bits(y)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equal)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			if w, ok := y[k]; !ok || !equal(v, w) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}
