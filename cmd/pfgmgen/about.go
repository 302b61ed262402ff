package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/pipeline"
)

// An about is what a place keeps beside the plan, so that a dataset can be finalized without its model and so that
// everybody who does writes the same bytes.
type about struct {
	Created     string            `json:"created"` // RFC 3339, UTC: when the run was planned
	Description string            `json:"description"`
	License     string            `json:"license,omitempty"`
	Model       dataset.Source    `json:"model"`
	Data        []dataset.Source  `json:"data,omitempty"`
	Label       string            `json:"label,omitempty"` // as it was given
	Checks      map[string]string `json:"checks"`          // code of a check: its rule
	Versions    map[string]string `json:"versions"`
	Schema      []byte            `json:"schema"` // of the rows, an Arrow IPC stream without batches
}

// newAbout is what is known when a run is planned.
func newAbout(o runOptions, m *model, schema *arrow.Schema, onnxruntime string) (*about, error) {
	created, err := now()
	if err != nil {
		return nil, err
	}
	var encoded bytes.Buffer
	w := ipc.NewWriter(&encoded, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode the schema: %w", err)
	}
	d := m.domain.Describe()
	a := &about{
		Created:     created.UTC().Format(time.RFC3339),
		Description: fmt.Sprintf("%s: rows made by the generative model %s, which learnt from: %s.", d.About, m.name, strings.TrimSuffix(m.contract.Source, ".")),
		License:     strings.ToLower(m.contract.License),
		Model:       dataset.Source{Name: m.name, SHA256: m.sha256, License: m.contract.License, Origin: m.contract.Source},
		Data:        trainingData(m), Label: o.label, Checks: make(map[string]string), Schema: encoded.Bytes(),
		Versions: map[string]string{"pfgmgen": buildVersion(), "onnxruntime": onnxruntime, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH},
	}
	if a.License == "unknown" {
		a.License = ""
	}
	for _, c := range d.Checks {
		a.Checks[c.Name] = c.About
	}
	return a, nil
}

// now is the time, or that of SOURCE_DATE_EPOCH (seconds since 1970), which reproducible builds set.
func now() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the year 9999
		return time.Time{}, usageErrorf("SOURCE_DATE_EPOCH is %q, want seconds since 1970", text)
	}
	return time.Unix(seconds, 0), nil
}

// readAbout reads the about of a place, and the schema in it.
func readAbout(ctx context.Context, st store.Store) (*about, *arrow.Schema, error) {
	data, err := dataset.ReadAbout(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	a := new(about)
	if err := json.Unmarshal(data, a); err != nil {
		return nil, nil, fmt.Errorf("%s: what it keeps about the run is damaged: %w; delete _pfgmgen/about.json and run the same pfgmgen run command again", st, err)
	}
	r, err := ipc.NewReader(bytes.NewReader(a.Schema))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: the schema that it keeps is damaged: %w; delete _pfgmgen/about.json and run the same pfgmgen run command again", st, err)
	}
	defer r.Release()
	schema := r.Schema()
	if schema.NumFields() == 0 {
		return nil, nil, errors.New("the schema of the run has no columns")
	}
	return a, schema, nil
}

// facts are what the card says beyond the manifest.
func (a *about) facts(plan pipeline.Plan, rows int64) dataset.Facts {
	how := fmt.Sprintf("Drawn from the PFGM++ model `%s` (D = %s, N = %d) with the %s solver in %d steps, sigma from %g to %g with rho %g, on %s. "+
		"Rows that fail a hard check are %s.", a.Model.Name, plan.Model.D, plan.Model.Free, plan.Solver, plan.Steps, plan.SigmaMax, plan.SigmaMin, plan.Rho, plan.Provider, invalidText(plan))
	return dataset.Facts{
		Name:        fmt.Sprintf("Synthetic %s, %s rows", a.Model.Name, number(rows)),
		Description: a.Description, License: a.License, Tags: []string{plan.Domain}, HowMade: how, Command: a.command(plan), Checks: a.Checks,
		Considerations: "The checks find what is impossible for the kind of data, not what is merely unlikely: a valid row need not exist in nature or work.",
	}
}

// command makes the dataset again.
func (a *about) command(plan pipeline.Plan) string {
	args := []string{"pfgmgen run --domain", plan.Domain, "--model", shellWord(a.Model.Name), "-n", fmt.Sprint(plan.NumSamples), "--seed", fmt.Sprint(plan.Seed),
		"--solver", plan.Solver, "--steps", fmt.Sprint(plan.Steps), "--sigma-min", fmt.Sprint(plan.SigmaMin), "--sigma-max", fmt.Sprint(plan.SigmaMax),
		"--rho", fmt.Sprint(plan.Rho), "--guidance", fmt.Sprint(plan.Guidance), "--batch", fmt.Sprint(plan.Batch), "--invalid", plan.Invalid}
	if plan.Invalid == pipeline.Resample {
		args = append(args, "--max-attempts", fmt.Sprint(plan.MaxAttempts))
	}
	args = append(args, "--shard-rows", fmt.Sprint(plan.ShardRows), "--format", plan.Format, "--device", plan.Provider)
	if a.Label != "" {
		args = append(args, "--label", shellWord(a.Label))
	}
	if len(plan.Also) > 0 {
		args = append(args, "--also", strings.Join(plan.Also, ","))
	}
	return strings.Join(args, " ")
}

// trainingData is what the model's training record says of its data.
func trainingData(m *model) []dataset.Source {
	var record struct {
		SHA256 string `json:"data_sha256"`
	}
	if json.Unmarshal(m.contract.Training, &record) != nil || record.SHA256 == "" {
		return nil
	}
	return []dataset.Source{{Name: m.contract.Source, SHA256: record.SHA256, License: m.contract.License}}
}

// shellWord quotes a word for a POSIX shell when it needs it.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=,:+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
