package ort

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"pfgmgen/internal/onnx"
)

// SessionOptions say how a model is compiled. The zero value is one thread of the CPU with all graph optimisations.
type SessionOptions struct {
	// Device is where the model runs: "cpu" (the default), "cuda:0", "tensorrt:0", "webgpu", "coreml", "directml:0",
	// "openvino", or "auto" for the first accelerator that works here, else the CPU.
	Device string
	// Threads is the number of threads inside one operator on the CPU, counting the caller's; 0 is 1. Several sessions
	// or workers with one thread each beat one session with many, as no operator has to wait for another's threads.
	Threads int
	// Spin lets idle threads of the session wait actively for work. That is a little faster for one session that has
	// the machine for itself, and much slower when sessions share cores, so the default is to sleep.
	Spin bool
	// Outputs are the names of the outputs that Run is to give, in any order; nil is all of them.
	Outputs []string
	// Optimize is how far the runtime may rewrite the graph.
	Optimize Optimization
}

// An Optimization is a level of graph optimisation.
type Optimization int

// OptimizeAll, the default, allows everything. OptimizeBasic keeps to rewrites that do not change the arithmetic's
// order, OptimizeNone runs the graph as written.
const (
	OptimizeAll Optimization = iota
	OptimizeBasic
	OptimizeNone
)

// A Port is an input or output of a model.
type Port struct {
	Name  string
	Type  string  // of the elements: "float32", "int64", ...
	Shape []int64 // -1 for a dimension that is free; nil when the model does not say
}

// A Session is a compiled model. Run is safe for concurrent use; Close waits for the runs under way.
type Session struct {
	device          Device
	fallback        error
	inputs, outputs []Port
	metadata        map[string]string

	mu      sync.RWMutex // held for reading by every run
	session *onnxruntime.DynamicAdvancedSession

	idleMu sync.Mutex
	idle   []*call // reused by later runs; C memory, freed by Close
}

// NewSession compiles a model. The bytes are not needed afterwards. Errors say whether the bytes are no model, the
// runtime cannot run it, or the device did not come up.
func (r *Runtime) NewSession(model []byte, o SessionOptions) (*Session, error) {
	m, err := onnx.Parse(model)
	if err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	return r.newSession(m, model, o)
}

// newSession compiles a model that was parsed already.
func (r *Runtime) newSession(m *onnx.Model, model []byte, o SessionOptions) (*Session, error) {
	if name := m.External(); name != "" {
		return nil, fmt.Errorf("%w: it keeps its weights %q in another file, which its hash would not cover; save it again as one file "+
			"(in Python: onnx.save(onnx.load(path), path))", ErrModel, name)
	}
	device, fallback, err := r.device(o.Device)
	if err != nil {
		return nil, err
	}
	s := &Session{device: device, fallback: fallback, metadata: m.Metadata()}
	s.inputs, s.outputs = ports(m.Inputs()), ports(m.Outputs())
	for _, name := range o.Outputs {
		if !slices.Contains(names(s.outputs), name) {
			return nil, fmt.Errorf("ort: the model has no output %q; its outputs are %q", name, names(s.outputs))
		}
	}
	if o.Outputs != nil {
		s.outputs = slices.DeleteFunc(s.outputs, func(p Port) bool { return !slices.Contains(o.Outputs, p.Name) })
	}
	if len(s.outputs) == 0 {
		return nil, errors.New("ort: a session needs at least one output")
	}
	s.session, err = compile(model, s.inputs, s.outputs, device, o, nil)
	if err != nil {
		return nil, fmt.Errorf("ort: ONNX Runtime %s refuses the model on %s: %w", r.version, device, err)
	}
	return s, nil
}

func ports(in []onnx.Port) []Port {
	out := make([]Port, len(in))
	for i, p := range in {
		out[i] = Port{Name: p.Name, Type: p.Type.String(), Shape: p.Shape}
	}
	return out
}

// compile creates the runtime's session with the settings of this package and the extra configuration entries.
func compile(model []byte, in, out []Port, d Device, o SessionOptions, extra map[string]string) (*onnxruntime.DynamicAdvancedSession, error) {
	defer saveSignals().restore()
	opts, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer opts.Destroy()
	level := map[Optimization]onnxruntime.GraphOptimizationLevel{
		OptimizeAll:   onnxruntime.GraphOptimizationLevelEnableAll,
		OptimizeBasic: onnxruntime.GraphOptimizationLevelEnableBasic,
		OptimizeNone:  onnxruntime.GraphOptimizationLevelDisableAll,
	}[o.Optimize]
	spin := "0"
	if o.Spin {
		spin = "1"
	}
	settings := []error{
		opts.SetGraphOptimizationLevel(level),
		opts.SetIntraOpNumThreads(max(o.Threads, 1)),
		opts.SetInterOpNumThreads(1),
		opts.AddSessionConfigEntry("session.intra_op.allow_spinning", spin),
	}
	for k, v := range extra {
		settings = append(settings, opts.AddSessionConfigEntry(k, v))
	}
	for _, err := range settings {
		if err != nil {
			return nil, err
		}
	}
	if err := d.appendTo(opts); err != nil {
		return nil, tidy(err)
	}
	s, err := onnxruntime.NewDynamicAdvancedSessionWithONNXData(model, names(in), names(out), opts)
	return s, tidy(err)
}

func names(ports []Port) []string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = p.Name
	}
	return out
}

// tidy keeps the sentence of an error of the binding and drops what is put in front of it: the binding's own words, the
// place in the runtime's source, and the status code.
func tidy(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, prefix := range []string{"Error creating C session: ", "Error running network: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	if _, after, found := strings.Cut(text, "[ONNXRuntimeError] : "); found {
		text = after
		if parts := strings.SplitN(text, " : ", 3); len(parts) == 3 {
			text = parts[2]
		}
	}
	if place, after, found := strings.Cut(text, " was false. "); found && strings.HasPrefix(place, "/") {
		text = after
	}
	return errors.New(strings.TrimSuffix(strings.TrimSpace(text), "."))
}

// Inputs are the tensors that Run wants, in the model's order. The caller must not change them.
func (s *Session) Inputs() []Port { return s.inputs }

// Outputs are the tensors that Run fills, in the model's order. The caller must not change them.
func (s *Session) Outputs() []Port { return s.outputs }

// Metadata is a copy of the model's metadata_props.
func (s *Session) Metadata() map[string]string { return maps.Clone(s.metadata) }

// Device is where the session runs.
func (s *Session) Device() Device { return s.device }

// Fallback says, after Device "auto" ended on the CPU, why no accelerator was taken; otherwise it is nil.
func (s *Session) Fallback() error { return s.fallback }

// Close waits for the runs under way and frees the session. Closing twice is harmless.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	for _, c := range s.idle {
		c.options.Destroy()
	}
	s.idle = nil
	err := s.session.Destroy()
	s.session = nil
	return tidy(err)
}
