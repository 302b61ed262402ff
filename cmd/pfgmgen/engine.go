package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"pfgmgen/pipeline"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// Micro-batches by default. On a CPU small ones keep a layer in its cache and cost little when a few rows are drawn
// again; an accelerator needs large ones to be busy.
const (
	cpuBatch         = 16
	acceleratorBatch = 256
)

// An engineChoice is where and how a model is to run.
type engineChoice struct {
	library string // --onnxruntime
	devices string // --device
	threads int    // of one evaluation on a CPU
}

// provider is the kind of all devices, empty when it has to be found out by starting them.
func (c engineChoice) provider() (string, error) {
	kind := ""
	for _, text := range strings.Split(c.devices, ",") {
		if strings.EqualFold(text, "auto") {
			if strings.Contains(c.devices, ",") {
				return "", usageErrorf("--device %s: auto cannot stand beside other devices", c.devices)
			}
			return "", nil
		}
		d, err := ort.ParseDevice(text)
		if err != nil {
			return "", usageErrorf("--device: %w", err)
		}
		if kind != "" && kind != d.Kind {
			return "", usageErrorf("--device %s: the devices must be of one kind, for results differ in the last bits between kinds", c.devices)
		}
		kind = d.Kind
	}
	return kind, nil
}

// An engine is a model on its devices.
type engine struct {
	runtime   *ort.Runtime
	denoisers []*ort.Denoiser
	provider  string
}

// openEngine loads ONNX Runtime and puts the model on each device.
func openEngine(ctx context.Context, e *env, m *model, c engineChoice) (*engine, error) {
	rt, err := ort.Load(c.library)
	if err != nil {
		return nil, err
	}
	e.debug("ONNX Runtime %s of %s", rt.Version(), rt.Path())
	g := &engine{runtime: rt}
	for _, device := range strings.Split(c.devices, ",") {
		if err := ctx.Err(); err != nil {
			g.close()
			return nil, err
		}
		den, err := rt.Open(m.bytes, ort.SessionOptions{Device: device, Threads: c.threads})
		if err != nil {
			g.close()
			return nil, fmt.Errorf("model %s: %w", m.name, err)
		}
		g.denoisers = append(g.denoisers, den)
		if why := den.Session().Fallback(); why != nil {
			e.warn("%v", why)
		}
		g.provider = den.Session().Device().Kind
		e.debug("%s runs on %s", m.name, den.Session().Device())
	}
	return g, nil
}

func (g *engine) close() error {
	var errs []error
	for _, d := range g.denoisers {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// devices are the names of the denoisers' devices.
func (g *engine) devices() []string {
	names := make([]string, len(g.denoisers))
	for i, d := range g.denoisers {
		names[i] = d.Session().Device().String()
	}
	return names
}

// parts are what the pipeline needs of the model and the engine.
func (g *engine) parts(m *model, workers int) pipeline.Parts {
	dens := make([]sampler.Denoiser, len(g.denoisers))
	for i, d := range g.denoisers {
		dens[i] = d
	}
	if workers == 0 && g.provider == "cpu" {
		workers = runtime.GOMAXPROCS(0)
	}
	return pipeline.Parts{Denoisers: dens, Adapter: m.adapter, Offset: m.contract.Offset, Scale: m.contract.Scale,
		About: m.domain.Describe().Columns, Workers: workers}
}

func defaultBatch(provider string) int {
	if provider == "cpu" {
		return cpuBatch
	}
	return acceleratorBatch
}
