package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains"
	"pfgmgen/domains/all"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
	"pfgmgen/training"
)

// Sampling defaults that a trained model carries. Discrete data are decided far above sigma 0.03, and the prior needs
// not start beyond 80 times the data's standard deviation (design.md section 12).
const (
	trainedSigmaMin = 0.03
	trainedSigmaMax = 40
	trainedRho      = 5
	trainedSteps    = 18
)

// maxMinutes bounds the budget: a year.
const maxMinutes = 366 * 24 * 60

// checkSamples is how many samples are drawn from a trained model to see that they decode.
const checkSamples = 64

// trainOptions are the settings of `pfgmgen train`.
type trainOptions struct {
	domain   string
	data     []string
	split    string
	settings map[string]string // of the domain: representation=aligned, ...
	out      string
	size     string
	d        float64
	seed     uint64
	steps    int
	minutes  float64
	batch    int
	rate     float64
	logMean  float64
	logStd   float64
	license  string
	source   string

	onnxruntime string
	threads     int
	fresh       bool // ignore and replace a checkpoint
}

func trainCommand(e *env) *cli.Command {
	const (
		dataCat    = "1. what to learn from"
		modelCat   = "2. what to make"
		lengthCat  = "3. how to train"
		machineCat = "4. what to compute with"
	)
	var o trainOptions
	var data, settings cli.StringSlice
	var d string
	return &cli.Command{
		Name:      "train",
		Usage:     "fit a PFGM++ denoiser to your own data",
		UsageText: "pfgmgen train --domain rna --data FILE --out MODEL.onnx [flags]",
		Description: `Reads the data, trains a token transformer in ONNX Runtime, writes one ONNX file that "run --model" takes, and checks
that its samples decode. While it works it saves MODEL.onnx.checkpoint once a minute; run the same command again after an
interruption and it goes on from there. A tenth of the data, or the part that the data call "valid", is held out.

  pfgmgen train --domain rna --data seqs.fa --minutes 20 --out mine.onnx
  pfgmgen run --model mine.onnx -n 1000 --out out/mine

The loss is 1 for a network that knows nothing and falls below 0.3 for a family of aligned RNAs. A held-out loss that is
much higher than the training loss says that there are too few data for so long a training.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "domain", Category: dataCat, Usage: "`NAME` of the kind of data; pfgmgen domains lists them", EnvVars: environ("domain"), Destination: &o.domain},
			&cli.StringSliceFlag{Name: "data", Category: dataCat, Usage: "`FILE` to learn from; repeat it for more files", Destination: &data},
			&cli.StringFlag{Name: "split", Category: dataCat, Usage: "`TABLE` (TSV) with id or sequence, and split (train, valid, test), for data that do not say", Destination: &o.split},
			&cli.StringSliceFlag{Name: "set", Category: dataCat, Usage: "a choice of the domain, `NAME=VALUE`, such as representation=aligned; pfgmgen domains rna lists them", Destination: &settings},
			&cli.StringFlag{Name: "license", Category: dataCat, Usage: "licence of the data as `TEXT`, for the model's record", Destination: &o.license},
			&cli.StringFlag{Name: "source", Category: dataCat, Usage: "source of the data as `TEXT`, for the model's record", Destination: &o.source},
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Category: modelCat, Usage: "`FILE` for the model", Destination: &o.out},
			&cli.StringFlag{Name: "size", Category: modelCat, Usage: "`SIZE` of the network: tiny (0.1 M weights), small (0.7 M) or base (4 M)", Value: "small", Destination: &o.size},
			&cli.StringFlag{Name: "dims", Aliases: []string{"D"}, Category: modelCat, Usage: "`D`, the augmented dimensions: a positive number, or inf for diffusion", Value: "128", Destination: &d},
			&cli.Uint64Flag{Name: "seed", Category: modelCat, Usage: "`SEED` of the first weights, the order of the data and the noise", EnvVars: environ("seed"), Destination: &o.seed},
			&cli.Float64Flag{Name: "minutes", Category: lengthCat, Usage: "budget of time in `MINUTES`; the number of steps that fit is measured first", Value: 20, Destination: &o.minutes},
			&cli.IntFlag{Name: "steps", Category: lengthCat, Usage: "number of `STEPS` instead of a budget: the result then does not depend on the machine's speed", Destination: &o.steps},
			&cli.BoolFlag{Name: "fresh", Category: lengthCat, Usage: "start anew even if there is a checkpoint", Destination: &o.fresh},
			&cli.IntFlag{Name: "batch", Category: lengthCat, Usage: "examples in a step, `B`", Value: 64, Destination: &o.batch},
			&cli.Float64Flag{Name: "rate", Category: lengthCat, Usage: "peak learning `RATE`", Value: 3e-3, Destination: &o.rate},
			&cli.Float64Flag{Name: "ln-sigma-mean", Category: lengthCat, Usage: "`MEAN` of ln sigma in training", Value: -0.17, Destination: &o.logMean},
			&cli.Float64Flag{Name: "ln-sigma-std", Category: lengthCat, Usage: "`STD` of ln sigma in training", Value: 1.2, Destination: &o.logStd},
			&cli.IntFlag{Name: "threads", Category: machineCat, Usage: "`N` threads; 0 is one for each CPU", EnvVars: environ("threads"), Destination: &o.threads},
			&cli.StringFlag{Name: "onnxruntime", Category: machineCat, Usage: "`PATH` of the ONNX Runtime library", EnvVars: environ("onnxruntime"), Destination: &o.onnxruntime},
			&cli.StringFlag{Name: "config", Category: dataCat, Usage: "YAML `FILE` with any of these flags by name", EnvVars: environ("config")},
		},
		Action: action(0, 0, func(ctx context.Context, _ []string) error {
			o.data = data.Value()
			var err error
			if o.d, err = strconv.ParseFloat(d, 64); err != nil {
				return usageErrorf("--dims %q: want a positive number or inf", d)
			}
			if o.settings, err = pairs(settings.Value()); err != nil {
				return err
			}
			r, err := train(ctx, e, all.Registry(), o)
			if err != nil {
				return err
			}
			return e.print(r, r.print)
		}),
	}
}

// pairs parses NAME=VALUE texts.
func pairs(texts []string) (map[string]string, error) {
	out := make(map[string]string, len(texts))
	for _, t := range texts {
		name, value, ok := strings.Cut(t, "=")
		if !ok || name == "" {
			return nil, usageErrorf("--set %q: want NAME=VALUE", t)
		}
		if _, twice := out[name]; twice {
			return nil, usageErrorf("--set %s is given twice", name)
		}
		out[name] = value
	}
	return out, nil
}

// trainRecord is the training record in a model's metadata.
type trainRecord struct {
	DataSHA256  string            `json:"data_sha256"`
	Examples    int               `json:"examples"`      // seen, with repeats
	TrainRows   int               `json:"train_records"` // different ones to learn from
	ValidRows   int               `json:"valid_records"` // held out
	Loss        float64           `json:"loss"`
	ValidLoss   *float64          `json:"valid_loss,omitempty"`
	Settings    training.Settings `json:"settings"`
	Options     map[string]string `json:"domain_settings,omitempty"`
	Code        string            `json:"code"`
	ONNXRuntime string            `json:"onnxruntime"`
}

// trainResult is what `pfgmgen train --json` prints.
type trainResult struct {
	Model     string   `json:"model"`
	SHA256    string   `json:"sha256"`
	Bytes     int      `json:"bytes"`
	Weights   int      `json:"weights"`
	Steps     int      `json:"steps"`
	Examples  int      `json:"examples"`
	Seconds   float64  `json:"seconds"`
	Loss      float64  `json:"loss"`
	ValidLoss *float64 `json:"valid_loss,omitempty"`
	Checked   int      `json:"samples_checked"`
	Valid     int      `json:"samples_valid"`
	Notes     []string `json:"notes,omitempty"`
}

// print writes the result for people.
func (r *trainResult) print(w io.Writer) error {
	loss := fmt.Sprintf("loss %.4f", r.Loss)
	if r.ValidLoss != nil {
		loss += fmt.Sprintf(", held out %.4f", *r.ValidLoss)
	}
	_, err := fmt.Fprintf(w, "%s  %s, %s weights, sha256 %s\n%s after %s steps, %s examples, %s\n%d of %d samples decode to valid rows\n",
		r.Model, size(int64(r.Bytes)), number(int64(r.Weights)), r.SHA256, loss, number(int64(r.Steps)), number(int64(r.Examples)),
		duration(time.Duration(r.Seconds*float64(time.Second))), r.Valid, r.Checked)
	return err
}

// train loads data, fits a denoiser, writes the model and checks that its samples decode.
func train(ctx context.Context, e *env, registry domains.Registry, o trainOptions) (*trainResult, error) {
	if err := o.check(registry); err != nil {
		return nil, err
	}
	domain, err := registry.Get(o.domain)
	if err != nil {
		return nil, usageError{err}
	}
	data, err := domain.Load(ctx, domains.LoadOptions{Paths: o.data, Split: o.split, Settings: o.settings})
	if err != nil {
		return nil, err
	}
	shape, labels := data.Adapter.Shape(), data.Adapter.Labels()
	arch, err := training.NewArchitecture(o.size, shape, len(labels))
	if err != nil {
		return nil, usageError{err}
	}
	set := training.DefaultSettings(arch)
	set.D, set.Seed, set.Threads = training.Dimensions(o.d), o.seed, o.threads
	set.Steps, set.Batch, set.Rate, set.LogMean, set.LogStd = max(o.steps, 1), o.batch, o.rate, o.logMean, o.logStd
	if err := set.Validate(); err != nil {
		return nil, usageError{err}
	}
	for _, n := range data.Notes {
		e.info("%s", n)
	}
	e.info("training on %s %s records, %s held out: samples of %v, %s weights, D %g", number(int64(data.Train.Len())), o.domain,
		number(int64(data.Valid.Len())), shape, number(int64(arch.Size())), o.d)
	if o.d < 4 {
		e.warn("D is %g: below 4 the noise has such heavy tails that some samples never reach the data; 64 to 2048 is usual", o.d)
	}

	rt, err := ort.Load(o.onnxruntime)
	if err != nil {
		return nil, err
	}
	checkpoint := o.out + ".checkpoint"
	if o.fresh {
		if err := os.Remove(checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	var m *meter
	job := training.Job{Settings: set, Train: data.Train, Valid: data.Valid, DataSHA: data.SHA256, Checkpoint: checkpoint,
		Observe: func(p training.Progress) {
			if m == nil {
				m = e.newMeter("training", "steps", int64(p.Steps))
				m.offset = int64(p.Step)
			}
			m.update(int64(p.Step), fmt.Sprintf("loss %.4f", p.Loss))
		}}
	if o.steps == 0 {
		job.Budget = time.Duration(o.minutes * float64(time.Minute))
	}
	r, err := training.Run(ctx, rt, job)
	e.con.setBar("")
	if err != nil {
		return nil, err
	}

	record := trainRecord{
		DataSHA256: data.SHA256, Examples: r.Examples, TrainRows: data.Train.Len(), ValidRows: data.Valid.Len(),
		Loss: r.Loss, Settings: r.Settings, Options: o.settings, Code: version(), ONNXRuntime: rt.Version(),
	}
	if !math.IsNaN(r.ValidLoss) {
		record.ValidLoss = &r.ValidLoss
	}
	recordJSON, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("training record: %w", err)
	}
	contract := &sampler.Contract{
		Version: sampler.ContractVersion, Domain: o.domain, Shape: shape, Free: data.Adapter.Free(), D: o.d,
		SigmaData: training.SigmaData, SigmaMin: trainedSigmaMin, SigmaMax: trainedSigmaMax, Rho: trainedRho, Steps: trainedSteps,
		Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", Labels: labels,
		License: firstOf(o.license, data.License), Source: firstOf(o.source, data.Source),
		Adapter: data.Adapter.Settings(), Training: recordJSON,
	}
	model, err := arch.Export(r.Weights, contract)
	if err != nil {
		return nil, err
	}
	result := &trainResult{
		Model: o.out, Bytes: len(model), Weights: arch.Size(), Steps: r.Settings.Steps, Examples: r.Examples,
		Seconds: r.Elapsed.Seconds(), Loss: r.Loss, ValidLoss: record.ValidLoss, Checked: checkSamples, Notes: data.Notes,
	}
	sum := sha256.Sum256(model)
	result.SHA256 = hex.EncodeToString(sum[:])
	if result.Valid, err = decodes(ctx, rt, model, data.Adapter, o.seed, o.threads); err != nil {
		return nil, fmt.Errorf("check of the trained model: %w", err)
	}
	if err := training.WriteFile(o.out, model); err != nil {
		return nil, fmt.Errorf("write model: %w", err)
	}
	if err := os.Remove(checkpoint); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return result, nil
}

// check refuses options that are wrong whatever the data.
func (o *trainOptions) check(registry domains.Registry) error {
	switch {
	case o.domain == "":
		return usageErrorf("train needs a domain: --domain NAME; there are %s", strings.Join(registry.Names(), ", "))
	case !slices.Contains(registry.Names(), o.domain):
		return usageErrorf("--domain %q is not known%s; there are %s", o.domain, didYouMean(o.domain, registry.Names(), ""), strings.Join(registry.Names(), ", "))
	case len(o.data) == 0:
		return usageErrorf("train needs data: --data FILE")
	case o.out == "":
		return usageErrorf("train needs a place for the model: --out FILE.onnx")
	case o.steps < 0:
		return usageErrorf("--steps is %d, want a positive number, or 0 for a budget in --minutes", o.steps)
	case o.steps == 0 && !(o.minutes > 0 && o.minutes < maxMinutes):
		return usageErrorf("--minutes is %g, want a positive number below %g", o.minutes, float64(maxMinutes))
	case o.threads < 0:
		return usageErrorf("--threads is %d, want 0 or more", o.threads)
	}
	if err := sampler.ValidateD(o.d); err != nil {
		return usageError{err}
	}
	dir := filepath.Dir(o.out)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("place for the model: %w; make the directory first", err)
	} else if !info.IsDir() {
		return fmt.Errorf("place for the model: %s is not a directory", dir)
	}
	if info, err := os.Stat(o.out); err == nil && info.IsDir() {
		return fmt.Errorf("place for the model: %s is a directory, want a file name such as %s", o.out, filepath.Join(o.out, o.domain+".onnx"))
	}
	probe, err := os.CreateTemp(dir, ".pfgmgen-*.tmp") // an hour of training must not end on a read-only directory
	if err != nil {
		return fmt.Errorf("place for the model cannot be written: %w", err)
	}
	probe.Close()
	return os.Remove(probe.Name())
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
	s, err := sampler.New(den, sampler.Settings{Steps: den.Contract().Steps, Rho: den.Contract().Rho})
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
		if a.Decode(x[i*size:(i+1)*size], label).Verdict().Valid() {
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
