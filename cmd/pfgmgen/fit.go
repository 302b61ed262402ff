package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"pfgmgen/domains"
	"pfgmgen/internal/onnx"
	"pfgmgen/pipeline"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
	"pfgmgen/training"
)

// discrete are the hints for data that give none. Discrete data are decided far above sigma 0.03, and the prior needs not
// start beyond 80 times the data's standard deviation (design.md section 12).
var discrete = domains.Hints{LnSigmaMean: -0.17, LnSigmaStd: 1.2, SigmaMin: 0.03, SigmaMax: 40, Rho: 5, Steps: 18, Guidance: 1}

// hints fills in what the data do not say.
func hints(h domains.Hints) domains.Hints {
	if h.LnSigmaStd == 0 {
		h.LnSigmaMean, h.LnSigmaStd = discrete.LnSigmaMean, discrete.LnSigmaStd
	}
	if h.Steps == 0 {
		h.Steps = discrete.Steps
	}
	for _, f := range []struct {
		v        *float64
		fallback float64
	}{{&h.SigmaMin, discrete.SigmaMin}, {&h.SigmaMax, discrete.SigmaMax}, {&h.Rho, discrete.Rho}, {&h.Guidance, discrete.Guidance}} {
		if *f.v == 0 {
			*f.v = f.fallback
		}
	}
	return h
}

// maskOf says how samples of an adapter leave coordinates out.
func maskOf(a domains.Adapter) (masked bool, mode string) {
	if _, ok := a.(domains.Masked); ok {
		return true, sampler.MaskZeros
	}
	return false, sampler.MaskNone
}

// labelShares are the shares of the classes in the examples, nil without classes.
func labelShares(e domains.Examples, size, classes int) []float64 {
	if classes == 0 {
		return nil
	}
	shares, x, total := make([]float64, classes), make([]float64, size), 0.0
	for i := range e.Len() {
		if label := e.Encode(x, i); label >= 0 {
			shares[label]++
			total++
		}
	}
	if total == 0 {
		return nil
	}
	for i := range shares {
		shares[i] /= total
	}
	return shares
}

// checkSamples is how many samples are drawn from a trained model to see that they decode.
const checkSamples = 64

// checkpointSuffix is what the file that a training goes on from is called after the model.
const checkpointSuffix = ".checkpoint"

// trainRecord is the training record in a model's metadata.
type trainRecord struct {
	DataSHA256  string            `json:"data_sha256"`
	Examples    int               `json:"examples"`      // seen, with repeats
	TrainRows   int               `json:"train_records"` // different ones to learn from
	ValidRows   int               `json:"valid_records"` // held out
	Loss        *float64          `json:"loss"`          // null when no step of the last tenth had a finite one
	ValidLoss   *float64          `json:"valid_loss,omitempty"`
	Settings    training.Settings `json:"settings"`
	Options     map[string]string `json:"domain_settings,omitempty"`
	Code        string            `json:"code"`
	ONNXRuntime string            `json:"onnxruntime"`
}

// meantSetting is a question with the setting that the first unknown one may stand for.
func meantSetting(given map[string]string, known []domains.Item) string {
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.Name
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) {
			return didYouMean(name, names, "")
		}
	}
	return ""
}

// train loads data, fits a denoiser, writes the model and checks that its samples decode.
func train(ctx context.Context, e *env, registry domains.Registry, o trainOptions) (*trainResult, error) {
	if err := o.check(registry); err != nil {
		return nil, err
	}
	data, err := loadData(ctx, registry, o.domain, domains.LoadOptions{Paths: o.data, Split: o.split, Settings: o.settings})
	if err != nil {
		return nil, err
	}
	shape, labels := data.Adapter.Shape(), data.Adapter.Labels()
	arch, err := training.NewArchitecture(o.size, shape, len(labels))
	if err != nil {
		return nil, usageError{err}
	}
	masked, mask := maskOf(data.Adapter)
	arch.Masked = masked
	if p, ok := data.Adapter.(domains.Paired); ok {
		arch.Pairs.First, arch.Pairs.Window, arch.Pairs.Types = p.Pairs()
		arch.Patch = 1 // pairs are of positions, so each is a token, however many there are
	}
	if o.patch > 0 {
		arch.Patch = o.patch
	}
	arch.Shared = o.shared
	if err := arch.Validate(); err != nil {
		return nil, usageError{err}
	}
	size := coordinates(data.Adapter)
	measured, err := domains.MeasureExamples(data.Train, size, masked)
	if err != nil {
		return nil, err
	}
	scale, err := measured.Fit()
	if err != nil {
		return nil, err
	}
	hint := hints(data.Hints)
	if !math.IsNaN(o.guidance) {
		hint.Guidance = o.guidance
	}
	if len(labels) == 0 {
		hint.Guidance = 1
	}
	if !math.IsNaN(o.logMean) {
		hint.LnSigmaMean = o.logMean
	}
	if !math.IsNaN(o.logStd) {
		hint.LnSigmaStd = o.logStd
	}
	set := training.DefaultSettings(arch)
	set.D, set.Seed, set.Threads = training.Dimensions(o.d), o.seed, o.threads
	set.Steps, set.Batch, set.Rate, set.LogMean, set.LogStd = max(o.steps, 1), o.batch, o.rate, hint.LnSigmaMean, hint.LnSigmaStd
	if o.steps > 0 { // a budget has its steps, and their warm-up, fixed later
		set.Warmup = min(set.Warmup, set.Steps/10)
	}
	var initial []float32
	if o.init != "" {
		if initial, scale, err = initialWeights(registry, o, &set, data, measured); err != nil {
			return nil, err
		}
	}
	if err := set.Validate(); err != nil {
		return nil, usageError{err}
	}
	for _, n := range data.Notes {
		e.info("%s", n)
	}
	e.info("training on %s %s records, %s held out: samples of %v, %s weights, D %s", number(int64(data.Train.Len())), o.domain,
		number(int64(data.Valid.Len())), shape, number(int64(arch.Size())), pipeline.FormatD(o.d))
	if o.d < 4 {
		e.warn("D is %g: below 4 the noise has such heavy tails that some samples never reach the data; 64 to 2048 is usual", o.d)
	}

	contract := &sampler.Contract{
		Version: sampler.ContractVersion, Domain: o.domain, Shape: shape, Free: data.Adapter.Free(), D: o.d,
		SigmaData: training.SigmaData, SigmaMin: hint.SigmaMin, SigmaMax: hint.SigmaMax, Rho: hint.Rho, Steps: hint.Steps,
		Offset: []float64{scale.Offset}, Scale: []float64{scale.Scale}, Symmetry: "none", Mask: mask, Labels: labels,
		LabelShares: labelShares(data.Train, size, len(labels)), Guidance: hint.Guidance,
		License: firstOf(o.license, data.License), Source: firstOf(o.source, data.Source), Adapter: data.Adapter.Settings(),
	}
	if err := contract.Validate(); err != nil { // now, not after an hour
		return nil, err
	}
	rt, err := ort.Load(o.onnxruntime)
	if err != nil {
		return nil, err
	}
	checkpoint := o.out + checkpointSuffix
	if o.fresh {
		if err := os.Remove(checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	var m *meter
	job := training.Job{Settings: set, Train: domains.InModelSpace(data.Train, scale, masked), Valid: domains.InModelSpace(data.Valid, scale, masked),
		DataSHA: data.SHA256, Checkpoint: checkpoint, Initial: initial,
		Observe: func(p training.Progress) {
			if m == nil {
				m = e.newMeter("training", "steps", int64(p.Steps))
				m.offset = int64(p.Step)
			}
			m.update(int64(p.Step), fmt.Sprintf("loss %.4f", p.Loss), slog.Float64("loss", p.Loss))
		}}
	if o.steps == 0 {
		job.Budget = time.Duration(o.minutes * float64(time.Minute))
	}
	r, err := training.Run(ctx, rt, job)
	e.con.setBar("")
	if err != nil {
		return nil, interrupted(err, checkpoint)
	}

	record := trainRecord{
		DataSHA256: data.SHA256, Examples: r.Examples, TrainRows: data.Train.Len(), ValidRows: data.Valid.Len(),
		Loss: finite(r.Loss), ValidLoss: finite(r.ValidLoss), Settings: r.Settings, Options: o.settings, Code: version(), ONNXRuntime: rt.Version(),
	}
	if contract.Training, err = json.Marshal(record); err != nil {
		return nil, fmt.Errorf("training record: %w", err)
	}
	model, err := arch.Export(r.Weights, contract, training.Weights(o.weights))
	if err != nil {
		return nil, err
	}
	result := &trainResult{
		Model: o.out, Bytes: len(model), Weights: arch.Size(), Steps: r.Settings.Steps, Examples: r.Examples,
		Seconds: r.Elapsed.Seconds(), Loss: record.Loss, ValidLoss: record.ValidLoss, Checked: checkSamples, Notes: data.Notes,
	}
	sum := sha256.Sum256(model)
	result.SHA256 = hex.EncodeToString(sum[:])
	if result.Valid, err = decodes(ctx, rt, model, data.Adapter, o.seed, o.threads); err != nil {
		return nil, interrupted(fmt.Errorf("check of the trained model: %w", err), checkpoint)
	}
	if err := training.WriteFile(o.out, model); err != nil {
		return nil, fmt.Errorf("write model: %w", err)
	}
	if o.keep {
		e.info("%s stays: the same command writes the model again at once", checkpoint)
	} else if err := os.Remove(checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
		e.warn("the checkpoint, which is not needed any more, stays: %v", err)
	}
	if result.Valid == 0 {
		e.warn("none of the %d samples decodes to a valid row: train longer, or on more data", checkSamples)
	}
	return result, nil
}

// initialWeights takes weights and scale of the model to start from, which must be of the same kind and for such data.
func initialWeights(registry domains.Registry, o trainOptions, set *training.Settings, data *domains.Data, measured domains.Measure) ([]float32, domains.Scale, error) {
	m, err := findModel(registry, o.domain, o.init)
	if err != nil {
		return nil, domains.Scale{}, err
	}
	if err := m.fits(data, measured); err != nil {
		return nil, domains.Scale{}, fmt.Errorf("--init %s: %w", o.init, err)
	}
	file, err := onnx.Parse(m.bytes)
	if err != nil {
		return nil, domains.Scale{}, fmt.Errorf("--init %s: %w", o.init, err)
	}
	weights, err := set.Architecture.WeightsOf(file)
	if err != nil {
		return nil, domains.Scale{}, fmt.Errorf("--init %s: %w", o.init, err)
	}
	if len(m.contract.Offset) != 1 || len(m.contract.Scale) != 1 {
		return nil, domains.Scale{}, fmt.Errorf("--init %s: it has a scale for each coordinate, which train does not", o.init)
	}
	set.Init = m.sha256
	return weights, domains.Scale{Offset: m.contract.Offset[0], Scale: m.contract.Scale[0]}, nil
}

// interrupted says how to go on after an interruption; any other error, and one of saving the checkpoint, stays as it is.
func interrupted(err error, checkpoint string) error {
	all, joined := err.(interface{ Unwrap() []error })
	switch {
	case !errors.Is(err, context.Canceled), joined && len(all.Unwrap()) > 1:
		return err
	}
	if _, err := os.Stat(checkpoint); err != nil {
		return interruption{"interrupted before the first step. To train, run the same command again"}
	}
	return interruption{fmt.Sprintf("interrupted; %s has all that was learnt so far. To go on, run the same command again", checkpoint)}
}

// finite is a number as JSON has it: nil for NaN and the infinities.
func finite(v float64) *float64 {
	if v-v != 0 {
		return nil
	}
	return &v
}

// decodes samples a few times from a model and counts the valid rows.
func decodes(ctx context.Context, rt *ort.Runtime, model []byte, a domains.Adapter, seed uint64, threads int) (valid int, err error) {
	if threads == 0 {
		threads = runtime.NumCPU()
	}
	den, err := rt.Open(model, ort.SessionOptions{Threads: threads})
	if err != nil {
		return 0, err
	}
	defer den.Close()
	c := den.Contract()
	set := sampler.Settings{Steps: c.Steps, Rho: c.Rho, Guidance: c.Guidance}
	masked, ok := a.(domains.Masked)
	if ok {
		set.Mask = masked.Mask
	}
	s, err := sampler.New(den, set)
	if err != nil {
		return 0, err
	}
	ids, classes := make([]sampler.ID, checkSamples), []int64(nil)
	for i := range ids {
		ids[i].Index = int64(i)
	}
	if n := len(a.Labels()); n > 0 {
		for i := range ids {
			classes = append(classes, int64(i%n))
		}
	}
	size := den.Info().Size
	x := make([]float64, len(ids)*size)
	if _, err := s.Sample(ctx, x, seed, ids, classes); err != nil {
		return 0, err
	}
	for i := range ids {
		label := -1
		if classes != nil {
			label = int(classes[i])
		}
		row := x[i*size : (i+1)*size]
		for j, v := range row {
			if v != 0 || masked == nil {
				row[j] = v/c.Scale[0] + c.Offset[0]
			}
		}
		if a.Decode(row, label).Verdict().Valid() {
			valid++
		}
	}
	return valid, nil
}

func firstOf(a, b string) string {
	if strings.TrimSpace(a) != "" {
		return a
	}
	return b
}
