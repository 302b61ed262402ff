package training

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"pfgmgen/sampler"
)

// A checkpoint is a line of JSON (checkpointHead) and the four vectors of the state as little-endian float32, in the
// order weights, first moment, second moment, moving average, then the SHA-256 of all that.
type checkpointHead struct {
	Format   string          `json:"format"`
	Settings json.RawMessage `json:"settings"`
	Data     string          `json:"data_sha256"`
	Steps    int             `json:"steps"` // length of the run
	Step     int             `json:"step"`  // steps done
	Skipped  int             `json:"skipped"`
	Size     int             `json:"size"` // of each vector

	Tail      float64 `json:"tail_loss"` // sum over the steps of the last tenth that are done and count
	TailSteps int     `json:"tail_steps"`
}

const checkpointFormat = "pfgmgen-checkpoint-1"

// maxCheckpointHead bounds the first line of a checkpoint, in bytes.
const maxCheckpointHead = 1 << 20

// state is all that changes during training.
type state struct {
	step      int     // steps done
	skipped   int     // of them, those whose gradient was not finite and which left the weights as they were
	tail      float64 // sum of the losses in the last tenth of the run
	tailSteps int     // how many those are
	w, m, v   []float32
	ema       []float32
}

func (st *state) vectors() [4][]float32 { return [4][]float32{st.w, st.m, st.v, st.ema} }

// newState draws the initial weights.
func newState(s *Settings) *state {
	var w []float32
	for i, p := range s.Architecture.params() {
		r := sampler.NewStream(s.Seed, int64(i), 0, purposeInit)
		for range p.size() {
			v := 0.0
			if p.std > 0 {
				v = p.std * r.NormFloat64()
			}
			w = append(w, float32(v))
		}
	}
	return &state{w: w, m: make([]float32, len(w)), v: make([]float32, len(w)), ema: append([]float32(nil), w...)}
}

// save writes the checkpoint so that path holds either the old one or the new one, whole.
func (st *state) save(path string, s Settings, data string) error {
	settings, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("training: checkpoint %s: %w", path, err)
	}
	head, err := json.Marshal(checkpointHead{Format: checkpointFormat, Settings: settings, Data: data, Steps: s.Steps,
		Step: st.step, Skipped: st.skipped, Size: len(st.w), Tail: st.tail, TailSteps: st.tailSteps})
	if err != nil {
		return fmt.Errorf("training: checkpoint %s: %w", path, err)
	}
	var b bytes.Buffer
	b.Write(append(head, '\n'))
	for _, v := range st.vectors() {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			return fmt.Errorf("training: checkpoint %s: %w", path, err)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	b.Write(sum[:])
	if err := WriteFile(path, b.Bytes()); err != nil {
		return fmt.Errorf("training: checkpoint: %w", err)
	}
	return nil
}

// load reads a checkpoint that was saved for the same settings and data, or returns nil when there is none. A run whose
// length is a budget of time takes the number of steps from the checkpoint into s. The file is not trusted: its size is
// compared with that of the network before it is read, and everything in it is checked before it is used.
func load(path string, s *Settings, timed bool, data string) (*state, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("training: checkpoint: %w", err)
	}
	bad := func(format string, args ...any) (*state, error) {
		return nil, fmt.Errorf("training: checkpoint %s: %s; remove it to start anew", path, fmt.Sprintf(format, args...))
	}
	size := s.Architecture.Size()
	if !info.Mode().IsRegular() {
		return bad("is not a regular file")
	}
	if limit := maxCheckpointHead + 16*int64(size) + sha256.Size; info.Size() > limit {
		return bad("has %d bytes, more than the %d that a network of %d weights needs", info.Size(), limit, size)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("training: checkpoint: %w", err)
	}
	var head checkpointHead
	line := bytes.IndexByte(b[:min(len(b), maxCheckpointHead)], '\n') + 1
	if line == 0 || json.Unmarshal(b[:line], &head) != nil || head.Format != checkpointFormat {
		return bad("is not a checkpoint of this version")
	}
	if head.Size != size || len(b) != line+16*size+sha256.Size {
		return bad("is for a network of %d weights or is truncated, this one has %d", head.Size, size)
	}
	body := b[:len(b)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return bad("is damaged: its SHA-256 does not match")
	}
	if timed {
		s.Steps, s.Warmup = head.Steps, min(s.Warmup, head.Steps/10)
	}
	if err := s.Validate(); err != nil {
		return bad("is damaged: %v", err)
	}
	ours, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("training: settings: %w", err)
	}
	if !bytes.Equal(head.Settings, ours) {
		return bad("was written with other settings: %s", differences(head.Settings, ours))
	}
	if head.Data != data {
		return bad("was written for other data")
	}
	st := &state{step: head.Step, skipped: head.Skipped, tail: head.Tail, tailSteps: head.TailSteps}
	if st.step < 0 || st.step > s.Steps || st.skipped < 0 || st.skipped > st.step || st.tailSteps < 0 || st.tailSteps > st.step {
		return bad("is damaged: step %d of %d, %d skipped, %d in the last tenth", st.step, s.Steps, st.skipped, st.tailSteps)
	}
	rest := body[line:]
	for _, dst := range []*[]float32{&st.w, &st.m, &st.v, &st.ema} {
		*dst = make([]float32, size)
		for i := range *dst {
			v := math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
			if v-v != 0 {
				return bad("is damaged: it holds %g", v)
			}
			(*dst)[i] = v
		}
		rest = rest[4*size:]
	}
	return st, nil
}

// differences names the settings that differ, with both values.
func differences(theirs, ours []byte) string {
	flat := func(b []byte) map[string]string {
		out := make(map[string]string)
		var add func(prefix string, b []byte)
		add = func(prefix string, b []byte) {
			var fields map[string]json.RawMessage
			if json.Unmarshal(b, &fields) != nil {
				out[prefix] = string(b)
				return
			}
			for k, v := range fields {
				add(strings.TrimPrefix(prefix+"."+k, "."), v)
			}
		}
		add("", b)
		return out
	}
	there, here := flat(theirs), flat(ours)
	var list []string
	for _, k := range slices.Sorted(maps.Keys(here)) {
		if there[k] != here[k] {
			list = append(list, fmt.Sprintf("%s %s there, %s here", k, there[k], here[k]))
		}
	}
	if len(list) == 0 {
		return "it has some that this version does not know"
	}
	return strings.Join(list, "; ")
}
