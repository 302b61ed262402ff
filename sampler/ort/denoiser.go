package ort

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// ErrModel is wrapped by Open and OpenWith when the model contradicts its contract or does not compute.
var ErrModel = errors.New("ort: the model cannot be used")

// A Denoiser is a model with a contract, as package sampler takes it. It is safe for concurrent use.
type Denoiser struct {
	session  *Session
	contract *sampler.Contract
	info     sampler.Info
	buffers  sync.Pool // of *buffer
}

var _ sampler.Denoiser = (*Denoiser)(nil)

// A buffer holds the tensors of one Denoise, in the types of the network.
type buffer struct {
	x, sigma, denoised []float32
	label              []int64
	shape, batch       []int64 // of x and denoised, and of sigma and label
	in, out            map[string]Tensor
}

// Open compiles a model that carries its contract in its metadata, and checks it as OpenWith does.
func (r *Runtime) Open(model []byte, o SessionOptions) (*Denoiser, error) {
	m, err := onnx.Parse(model)
	if err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	meta := m.Metadata()
	c, err := sampler.ParseContract(meta)
	if err != nil {
		if !hasContract(meta) {
			return nil, fmt.Errorf("%w: it has no pfgmgen metadata, so its domain, D, sigma range and the rest are unknown and must be given beside it", ErrModel)
		}
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return r.open(m, model, c, o)
}

// OpenWith compiles a model under a contract of the caller's, whatever its metadata say. It refuses, naming each
// fault, a model whose ports do not fit the contract, one with NaN among its weights, and one that gives anything but
// finite numbers for a small probe batch. Errors of that kind wrap ErrModel.
func (r *Runtime) OpenWith(model []byte, c *sampler.Contract, o SessionOptions) (*Denoiser, error) {
	m, err := onnx.Parse(model)
	if err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	return r.open(m, model, c, o)
}

func (r *Runtime) open(m *onnx.Model, model []byte, c *sampler.Contract, o SessionOptions) (*Denoiser, error) {
	if faults := compare(ports(m.Inputs()), ports(m.Outputs()), c); len(faults) > 0 {
		return nil, fmt.Errorf("%w: %s", ErrModel, strings.Join(faults, "; "))
	}
	if name := notANumber(m); name != "" {
		return nil, fmt.Errorf("%w: its weights %q hold NaN; the training that made it diverged, or the file is damaged", ErrModel, name)
	}
	o.Outputs = []string{sampler.OutputDenoised}
	s, err := r.newSession(m, model, o)
	if err != nil {
		return nil, err
	}
	d := &Denoiser{session: s, contract: c, info: c.Info()}
	if err := d.probe(); err != nil {
		s.Close()
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	return d, nil
}

func hasContract(meta map[string]string) bool {
	for k := range meta {
		if strings.HasPrefix(k, "pfgmgen.") {
			return true
		}
	}
	return false
}

// Contract is what the model says about itself. The caller must not change it.
func (d *Denoiser) Contract() *sampler.Contract { return d.contract }

// Info is the part of the contract that the solver needs.
func (d *Denoiser) Info() sampler.Info { return d.info }

// Session is the compiled model, for its ports, device and metadata.
func (d *Denoiser) Session() *Session { return d.session }

// Close waits for the evaluations under way and frees the session.
func (d *Denoiser) Close() error { return d.session.Close() }

// Denoise implements sampler.Denoiser. Numbers are float32 inside the network; sigma and x must fit. Absent labels of
// a conditional model stand for the class "unconditional". Labels for an unconditional model, labels outside
// 0..Classes and a sigma that is not positive and finite are errors. Slices whose lengths do not belong together panic.
func (d *Denoiser) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	n := len(x) / d.info.Size
	if len(x) != n*d.info.Size || len(dst) != len(x) || labels != nil && len(labels) != n {
		panic(fmt.Sprintf("ort: denoise: %d numbers in, %d out and %d labels, for samples of %d numbers", len(x), len(dst), len(labels), d.info.Size))
	}
	if !(sigma > 0) || sigma > math.MaxFloat32 {
		return fmt.Errorf("ort: denoise: sigma is %g, want a positive number", sigma)
	}
	if labels != nil && d.info.Classes == 0 {
		return errors.New("ort: denoise: labels were given, but the model is unconditional")
	}
	if n == 0 {
		return ctx.Err()
	}
	b := d.buffer(n)
	defer d.buffers.Put(b)
	for i, v := range x {
		b.x[i] = float32(v)
	}
	for i := range b.sigma {
		b.sigma[i] = float32(sigma)
	}
	for i := range b.label {
		b.label[i] = int64(d.info.Classes)
		if labels == nil {
			continue
		}
		if labels[i] < 0 || labels[i] > int64(d.info.Classes) {
			return fmt.Errorf("ort: denoise: sample %d: label %d is not in 0..%d", i, labels[i], d.info.Classes)
		}
		b.label[i] = labels[i]
	}
	if err := d.session.Run(ctx, b.in, b.out); err != nil {
		return err
	}
	for i, v := range b.denoised {
		dst[i] = float64(v)
	}
	return nil
}

// buffer gets tensors for n samples, reusing those of earlier calls.
func (d *Denoiser) buffer(n int) *buffer {
	b, _ := d.buffers.Get().(*buffer)
	if b != nil && len(b.sigma) == n {
		return b
	}
	if b == nil || cap(b.sigma) < n {
		b = &buffer{x: make([]float32, n*d.info.Size), denoised: make([]float32, n*d.info.Size),
			sigma: make([]float32, n), in: make(map[string]Tensor), out: make(map[string]Tensor)}
		if d.info.Classes > 0 {
			b.label = make([]int64, n)
		}
	}
	b.x, b.denoised, b.sigma = b.x[:n*d.info.Size], b.denoised[:n*d.info.Size], b.sigma[:n]
	b.shape, b.batch = []int64{int64(n)}, []int64{int64(n)}
	for _, size := range d.contract.Shape {
		b.shape = append(b.shape, int64(size))
	}
	b.in[sampler.InputX] = Tensor{b.shape, b.x}
	b.in[sampler.InputSigma] = Tensor{b.batch, b.sigma}
	b.out[sampler.OutputDenoised] = Tensor{b.shape, b.denoised}
	if d.info.Classes > 0 {
		b.label = b.label[:n]
		b.in[sampler.InputLabel] = Tensor{b.batch, b.label}
	}
	return b
}
