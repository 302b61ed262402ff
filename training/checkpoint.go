package training

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

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
}

const checkpointFormat = "pfgmgen-checkpoint-1"

// maxCheckpointHead bounds the first line of a checkpoint, in bytes.
const maxCheckpointHead = 1 << 20

// state is all that changes during training.
type state struct {
	step    int // steps done
	skipped int // of them, those whose gradient was not finite and which left the weights as they were
	w, m, v []float32
	ema     []float32
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
	head, err := json.Marshal(checkpointHead{checkpointFormat, settings, data, s.Steps, st.step, st.skipped, len(st.w)})
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
// length is a budget of time takes the number of steps from the checkpoint into s.
func load(path string, s *Settings, timed bool, data string) (*state, error) {
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("training: checkpoint: %w", err)
	}
	bad := func(why string) (*state, error) {
		return nil, fmt.Errorf("training: checkpoint %s: %s; remove it to start anew", path, why)
	}
	line, err := bufio.NewReaderSize(io.LimitReader(bytes.NewReader(b), maxCheckpointHead), 1<<16).ReadBytes('\n')
	var head checkpointHead
	if err != nil || json.Unmarshal(line, &head) != nil || head.Format != checkpointFormat {
		return bad("is not a checkpoint of this version")
	}
	want := int64(len(line)) + 16*int64(head.Size) + sha256.Size
	if head.Size != s.Architecture.Size() || int64(len(b)) != want {
		return bad(fmt.Sprintf("is for a network of %d weights or is truncated, this one has %d", head.Size, s.Architecture.Size()))
	}
	if sum := sha256.Sum256(b[:len(b)-sha256.Size]); !bytes.Equal(sum[:], b[len(b)-sha256.Size:]) {
		return bad("is damaged: its SHA-256 does not match")
	}
	if timed {
		s.Steps, s.Warmup = head.Steps, min(s.Warmup, head.Steps/10)
	}
	ours, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("training: settings: %w", err)
	}
	if !bytes.Equal(head.Settings, ours) {
		return bad(fmt.Sprintf("was written with the settings %s, this run has %s", head.Settings, ours))
	}
	if head.Data != data {
		return bad("was written for other data")
	}
	st := &state{step: head.Step, skipped: head.Skipped}
	rest := b[len(line):]
	for _, dst := range []*[]float32{&st.w, &st.m, &st.v, &st.ema} {
		*dst = make([]float32, head.Size)
		for i := range *dst {
			(*dst)[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
		}
		rest = rest[4*head.Size:]
	}
	return st, nil
}

// WriteFile writes a file so that its name holds either what was there before or all of b: a temporary name in the
// same directory, fsync, rename.
func WriteFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return nil
}
