package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/dataset"
	"pfgmgen/pipeline"
)

// commit writes the card, the Croissant description and the manifest of a finished run.
func commit(w *dataset.Writer, schema *arrow.Schema, o runOptions, m *model, plan pipeline.Plan, rep *pipeline.Report, eng *engine) (*dataset.Manifest, error) {
	man := dataset.Manifest{
		RunID: plan.RunID(), Domain: plan.Domain, Created: time.Now().UTC().Format(time.RFC3339), Seed: fmt.Sprint(plan.Seed),
		SpecSHA256: plan.SHA256(), Settings: plan.JSON(),
		Model: dataset.Source{Name: m.name, SHA256: m.sha256, License: m.contract.License, Origin: m.contract.Source},
		Data:  trainingData(m),
		Counts: dataset.Counts{Asked: rep.Asked, Written: rep.Written, Valid: rep.Valid, Attempts: rep.Attempts,
			Rejected: rep.Rejected, Warned: rep.Warned},
		Metrics: map[string]float64{
			"valid_share":    rep.ValidShare(),
			"distinct_share": float64(rep.Distinct) / float64(max(1, rep.DistinctOf)),
		},
		Versions: map[string]string{"pfgmgen": buildVersion(), "onnxruntime": eng.runtime.Version(), "go": runtime.Version(),
			"platform": runtime.GOOS + "/" + runtime.GOARCH},
	}
	w.Complete(&man)
	facts := facts(o, m, plan, rep)
	card, err := facts.Card(&man, schema)
	if err != nil {
		return nil, err
	}
	croissant, err := facts.Croissant(&man, schema)
	if err != nil {
		return nil, err
	}
	if err := w.Commit(man, card, dataset.File{Name: "croissant.json", Data: croissant}); err != nil {
		return nil, err
	}
	return &man, nil
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

// facts are what the card says beyond the manifest.
func facts(o runOptions, m *model, plan pipeline.Plan, rep *pipeline.Report) dataset.Facts {
	d := m.domain.Describe()
	checks := make(map[string]string)
	for _, c := range d.Checks {
		checks[c.Name] = c.About
	}
	license := strings.ToLower(m.contract.License)
	if license == "unknown" {
		license = ""
	}
	how := fmt.Sprintf("Drawn from the PFGM++ model `%s` (D = %s, N = %d) with the %s solver in %d steps, sigma from %g to %g with rho %g, on %s. "+
		"Rows that fail a hard check are %s.", m.name, plan.Model.D, plan.Model.Free, plan.Solver, plan.Steps, plan.SigmaMax, plan.SigmaMin, plan.Rho, plan.Provider, invalidText(plan))
	return dataset.Facts{
		Name: fmt.Sprintf("Synthetic %s, %s rows", m.name, number(rep.Written)),
		Description: fmt.Sprintf("%s: rows made by the generative model %s, which learnt from: %s.", d.About, m.name,
			strings.TrimSuffix(m.contract.Source, ".")),
		License: license, Tags: []string{plan.Domain}, HowMade: how, Command: command(o, m, plan), Checks: checks,
		Considerations: "The checks find what is impossible for the kind of data, not what is merely unlikely: a valid row need not exist in nature or work.",
	}
}

// command makes the dataset again.
func command(o runOptions, m *model, plan pipeline.Plan) string {
	args := []string{"pfgmgen run --domain", plan.Domain, "--model", shellWord(m.name), "-n", fmt.Sprint(plan.NumSamples), "--seed", fmt.Sprint(plan.Seed),
		"--solver", plan.Solver, "--steps", fmt.Sprint(plan.Steps), "--sigma-min", fmt.Sprint(plan.SigmaMin), "--sigma-max", fmt.Sprint(plan.SigmaMax),
		"--rho", fmt.Sprint(plan.Rho), "--guidance", fmt.Sprint(plan.Guidance), "--batch", fmt.Sprint(plan.Batch), "--invalid", plan.Invalid}
	if plan.Invalid == pipeline.Resample {
		args = append(args, "--max-attempts", fmt.Sprint(plan.MaxAttempts))
	}
	args = append(args, "--shard-rows", fmt.Sprint(plan.ShardRows), "--format", plan.Format, "--device", plan.Provider)
	if o.label != "" {
		args = append(args, "--label", shellWord(o.label))
	}
	if len(plan.Also) > 0 {
		args = append(args, "--also", strings.Join(plan.Also, ","))
	}
	return strings.Join(args, " ")
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
