package ort

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// A call is what one run under way needs. Calls are reused: their RunOptions live in C memory, and a run then costs
// no more than the views of its tensors.
type call struct {
	options         *onnxruntime.RunOptions
	inputs, outputs []onnxruntime.Value
	pin             runtime.Pinner
}

// Run evaluates the model. in has a tensor for every input, and out one for every output of the session, of the shape
// that the model will give, which Run fills in place. The caller leaves the memory alone until Run returns. When ctx
// ends, the runtime stops at the next operator and Run returns ctx.Err(); the contents of out are then undefined, as
// they are after any error. Run may be called from many goroutines at a time.
func (s *Session) Run(ctx context.Context, in, out map[string]Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.session == nil {
		return ErrClosed
	}
	c, err := s.take()
	if err != nil {
		return err
	}
	defer s.give(c)
	if err := c.bind(s, in, out); err != nil {
		return err
	}
	if err := c.run(ctx, s.session); err != nil {
		return err
	}
	for i, p := range s.outputs {
		if t := out[p.Name]; len(t.Shape) == 0 {
			t.fetch(c.outputs[i])
		}
	}
	return nil
}

// take gets an idle call or makes one.
func (s *Session) take() (*call, error) {
	s.idleMu.Lock()
	defer s.idleMu.Unlock()
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return c, nil
	}
	options, err := onnxruntime.NewRunOptions()
	if err != nil {
		return nil, fmt.Errorf("ort: %w", err)
	}
	return &call{options: options, inputs: make([]onnxruntime.Value, len(s.inputs)),
		outputs: make([]onnxruntime.Value, len(s.outputs))}, nil
}

// give frees the tensors of a call and keeps it for later.
func (s *Session) give(c *call) {
	for _, values := range [2][]onnxruntime.Value{c.inputs, c.outputs} {
		for i, v := range values {
			if v != nil {
				v.Destroy()
				values[i] = nil
			}
		}
	}
	c.pin.Unpin()
	s.idleMu.Lock()
	s.idle = append(s.idle, c)
	s.idleMu.Unlock()
}

// bind makes the runtime's views of the caller's tensors.
func (c *call) bind(s *Session, in, out map[string]Tensor) error {
	for name := range in {
		if !slices.ContainsFunc(s.inputs, func(p Port) bool { return p.Name == name }) {
			return fmt.Errorf("ort: the model has no input %q; its inputs are %q", name, names(s.inputs))
		}
	}
	for name := range out {
		if !slices.ContainsFunc(s.outputs, func(p Port) bool { return p.Name == name }) {
			return fmt.Errorf("ort: the model has no output %q; its outputs are %q", name, names(s.outputs))
		}
	}
	for i := range s.inputs {
		p := &s.inputs[i]
		t, ok := in[p.Name]
		if !ok {
			return fmt.Errorf("ort: input %q is missing", p.Name)
		}
		if err := c.view(&c.inputs[i], t, p); err != nil {
			return fmt.Errorf("ort: input %q: %w", p.Name, err)
		}
	}
	for i := range s.outputs {
		p := &s.outputs[i]
		t, ok := out[p.Name]
		if !ok {
			return fmt.Errorf("ort: output %q is missing", p.Name)
		}
		if err := c.view(&c.outputs[i], t, p); err != nil {
			return fmt.Errorf("ort: output %q: %w", p.Name, err)
		}
	}
	return nil
}

func (c *call) view(dst *onnxruntime.Value, t Tensor, p *Port) error {
	if err := t.fits(p); err != nil {
		return err
	}
	v, err := t.value(&c.pin)
	if err != nil {
		return err
	}
	*dst = v
	return nil
}

// run evaluates the session and stops early when ctx ends.
func (c *call) run(ctx context.Context, session *onnxruntime.DynamicAdvancedSession) error {
	if ctx.Done() != nil {
		ended := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(ended)
			_ = c.options.Terminate() // it only sets a flag and has no way to fail
		})
		defer func() {
			if !stop() {
				<-ended // the options must not be reused while the function touches them
				_ = c.options.UnsetTerminate()
			}
		}()
	}
	if err := session.RunWithOptions(c.inputs, c.outputs, c.options); err != nil {
		if ended := ctx.Err(); ended != nil {
			return ended
		}
		return fmt.Errorf("ort: run: %w", tidy(err))
	}
	return nil
}
