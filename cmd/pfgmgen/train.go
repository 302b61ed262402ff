package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains"
	"pfgmgen/domains/all"
	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
	"pfgmgen/training"
)

// maxMinutes bounds the budget: a year.
const maxMinutes = 366 * 24 * 60

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
	patch    int
	shared   bool    // modulation
	logMean  float64 // NaN: as the domain hints
	logStd   float64 // NaN: as the domain hints
	weights  string
	guidance float64 // NaN: as the domain hints
	init     string  // model to start from
	keep     bool    // the checkpoint
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
			&cli.StringFlag{Name: "size", Category: modelCat, Usage: "`SIZE` of the network: tiny (0.1 M weights), small (0.7 M), medium (1.8 M) or base (4 M)", Value: "small", Destination: &o.size},
			&cli.IntFlag{Name: "patch", Category: modelCat, Usage: "`P` positions to a token, or P by P pixels; 0 is as few as make 64 tokens or less", Destination: &o.patch},
			&cli.BoolFlag{Name: "shared-modulation", Category: modelCat, Usage: "one matrix tells all blocks the noise level: a quarter of the weights fewer", Destination: &o.shared},
			&cli.Float64Flag{Name: "guidance", Category: modelCat, Usage: "`WEIGHT` of the label that run takes for this model when none is given", Value: math.NaN(), DefaultText: "what suits the domain", Destination: &o.guidance},
			&cli.StringFlag{Name: "weights", Category: modelCat, Usage: "how the file stores the weights, `TYPE` fp32 or fp16 (half the size)", Value: string(training.Float32), Destination: &o.weights},
			&cli.StringFlag{Name: "dims", Aliases: []string{"D"}, Category: modelCat, Usage: "`D`, the augmented dimensions: a positive number, or inf for diffusion", Value: "128", Destination: &d},
			&cli.Uint64Flag{Name: "seed", Category: modelCat, Usage: "`SEED` of the first weights, the order of the data and the noise", EnvVars: environ("seed"), Destination: &o.seed},
			&cli.Float64Flag{Name: "minutes", Category: lengthCat, Usage: "budget of time in `MINUTES`; the number of steps that fit is measured first", Value: 20, Destination: &o.minutes},
			&cli.IntFlag{Name: "steps", Category: lengthCat, Usage: "number of `STEPS` instead of a budget: the result then does not depend on the machine's speed", Destination: &o.steps},
			&cli.StringFlag{Name: "init", Category: lengthCat, Usage: "start from the weights of a model made by train, `NAME|FILE`, for data like those it learnt from", Destination: &o.init},
			&cli.BoolFlag{Name: "fresh", Category: lengthCat, Usage: "start anew even if there is a checkpoint", Destination: &o.fresh},
			&cli.BoolFlag{Name: "keep-checkpoint", Category: lengthCat, Usage: "leave the checkpoint at the end: the same command then writes the model again at once", Destination: &o.keep},
			&cli.IntFlag{Name: "batch", Category: lengthCat, Usage: "examples in a step, `B`", Value: 64, Destination: &o.batch},
			&cli.Float64Flag{Name: "rate", Category: lengthCat, Usage: "peak learning `RATE`", Value: 3e-3, Destination: &o.rate},
			&cli.Float64Flag{Name: "ln-sigma-mean", Category: lengthCat, Usage: "`MEAN` of ln sigma in training", Value: math.NaN(), DefaultText: "what suits the domain", Destination: &o.logMean},
			&cli.Float64Flag{Name: "ln-sigma-std", Category: lengthCat, Usage: "`STD` of ln sigma in training", Value: math.NaN(), DefaultText: "what suits the domain", Destination: &o.logStd},
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

// trainResult is what `pfgmgen train --json` prints.
type trainResult struct {
	Model     string   `json:"model"`
	SHA256    string   `json:"sha256"`
	Bytes     int      `json:"bytes"`
	Weights   int      `json:"weights"`
	Steps     int      `json:"steps"`
	Examples  int      `json:"examples"`
	Seconds   float64  `json:"seconds"`
	Loss      *float64 `json:"loss"`
	ValidLoss *float64 `json:"valid_loss,omitempty"`
	Checked   int      `json:"samples_checked"`
	Valid     int      `json:"samples_valid"`
	Notes     []string `json:"notes,omitempty"`
}

// print writes the result for people.
func (r *trainResult) print(w io.Writer) error {
	loss := "loss unknown"
	if r.Loss != nil {
		loss = fmt.Sprintf("loss %.4f", *r.Loss)
	}
	if r.ValidLoss != nil {
		loss += fmt.Sprintf(", held out %.4f", *r.ValidLoss)
	}
	_, err := fmt.Fprintf(w, "%s  %s, %s weights, sha256 %s\n%s after %s steps, %s examples, %s\n%d of %d samples decode to valid rows\n",
		r.Model, size(int64(r.Bytes)), number(int64(r.Weights)), r.SHA256, loss, number(int64(r.Steps)), number(int64(r.Examples)),
		duration(time.Duration(r.Seconds*float64(time.Second))), r.Valid, r.Checked)
	return err
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
	case o.patch < 0:
		return usageErrorf("--patch is %d, want 1 or more, or 0 to have it chosen", o.patch)
	case o.threads < 0:
		return usageErrorf("--threads is %d, want 0 or more", o.threads)
	}
	if !math.IsNaN(o.guidance) && !(o.guidance > 0 && o.guidance <= 100) {
		return usageErrorf("--guidance is %g, want a positive number up to 100, 1 for none", o.guidance)
	}
	if err := oneOf("weights", o.weights, string(training.Float32), string(training.Float16)); err != nil {
		return err
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
	if err := o.replaces(); err != nil {
		return err
	}
	probe, err := os.CreateTemp(dir, ".pfgmgen-*.tmp") // an hour of training must not end on a read-only directory
	if err != nil {
		return fmt.Errorf("place for the model cannot be written: %w", err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// replaces refuses a place that holds something that is not a model, the data above all.
func (o *trainOptions) replaces() error {
	for _, input := range append(slices.Clone(o.data), o.split) {
		in, err := os.Stat(input)
		if err != nil {
			continue // loading will say so
		}
		for _, made := range []string{o.out, o.out + checkpointSuffix} {
			if out, err := os.Stat(made); err == nil && os.SameFile(in, out) {
				return usageErrorf("--out %s would write over the data %s (as %s): give the model another name, such as %s", o.out, input, made,
					filepath.Join(filepath.Dir(o.out), o.domain+".onnx"))
			}
		}
	}
	info, err := os.Stat(o.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("place for the model: %w", err)
	case info.IsDir():
		return fmt.Errorf("place for the model: %s is a directory, want a file name such as %s", o.out, filepath.Join(o.out, o.domain+".onnx"))
	case info.Size() == 0 && info.Mode().IsRegular():
		return nil
	}
	if _, err := onnx.Read(o.out); err != nil {
		return fmt.Errorf("place for the model: %s holds something else (%w): remove it, or give the model another name", o.out, err)
	}
	return nil
}
