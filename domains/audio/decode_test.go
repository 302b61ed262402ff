package audio

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pfgmgen/io/wav"
)

// word is speech-like: harmonics of a pitch in an envelope, after some silence, with silence behind.
func word(rate int, pitch float64) []float64 {
	before, sound, after := rate/10, rate*3/10, rate/5
	x := make([]float64, before+sound+after)
	for i := range sound {
		at := float64(i) / float64(sound)
		for h := 1.0; h*pitch < 3200; h++ {
			x[before+i] += 0.05 * math.Exp(-h/6) * math.Sin(2*math.Pi*h*pitch*float64(i)/float64(rate)) * math.Sin(math.Pi*at)
		}
	}
	return x
}

func TestLevels(t *testing.T) {
	an := newAnalysis()
	x := word(8000, 130)
	c := an.levels(x)
	// 0.1 s before it are 6.25 frames; what lies 35 and 40 dB down at the ends of the sine's arch is less than a frame.
	if n := c.frames(); n < 18 || n > 24 {
		t.Errorf("0.3 s of sound make %d frames", n)
	}
	if slices.Max(c) != steps {
		t.Errorf("the loudest level is %d", slices.Max(c))
	}
	silence := func(n int) []float64 { return make([]float64, n) }
	same := map[string][]float64{
		"20 dB softer": slices.Clone(x),
		"negative":     slices.Clone(x),
		"5 frames on":  slices.Concat(silence(5*hop), x),
		"longer":       slices.Concat(x, silence(777)),
	}
	for i := range x {
		same["20 dB softer"][i] *= 0.1
		same["negative"][i] *= -1
	}
	for name, y := range same {
		if other := an.levels(y); other.frames() != c.frames() || apart(c, other) > 1 { // a level more or less by rounding
			t.Errorf("%s: %d frames, levels up to %d apart", name, other.frames(), apart(c, other))
		}
	}
	offset := slices.Clone(x)
	for i := range offset {
		offset[i] += 0.02
	}
	if other := an.levels(offset); apart(c, other) > 1 {
		t.Errorf("an offset changes levels by %d", apart(c, other))
	}
	for name, y := range map[string][]float64{"nothing": nil, "silence": silence(1000), "an offset": pad(silence(1000), 0.5)} {
		if c := an.levels(y); len(c) != 0 {
			t.Errorf("%s makes %d frames", name, c.frames())
		}
	}
	if c := an.levels([]float64{0.5}); c.frames() > 1 { // less its mean, one sample is nothing
		t.Errorf("one sample makes %d frames", c.frames())
	}
}

func pad(x []float64, v float64) []float64 {
	for i := range x {
		x[i] = v
	}
	return x
}

// apart is the largest difference of two levels.
func apart(a, b clip) int {
	if len(a) != len(b) {
		return math.MaxInt
	}
	d := 0
	for i := range a {
		d = max(d, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return d
}

// Every level comes back from the encoding, whatever the settings, and after noise of less than half a level.
func TestEncodeIsExact(t *testing.T) {
	s := small()
	rng := rand.New(rand.NewPCG(1, 2))
	for b := range bins {
		s.Means[b], s.SpreadsDB[b] = 50*rng.Float64(), minSpread+40*rng.Float64()
	}
	c := make(clip, s.Frames*bins)
	for i := range c {
		if c[i] = uint8(rng.IntN(steps + 1)); int(c[i]) < deadStep(s.FloorDB) {
			c[i] = 0
		}
	}
	x, back := make([]float64, len(c)), make(clip, len(c))
	s.encode(x, c)
	for i := range x {
		x[i] += 0.45 * (2*rng.Float64() - 1) * s.FloorDB / steps / (2 * s.SpreadsDB[i%bins])
	}
	if !s.levels(back, x) || !bytes.Equal(back, c) {
		t.Error("levels do not come back")
	}
	x[3] = math.NaN()
	if s.levels(back, x) || back[3] != 0 {
		t.Errorf("NaN is level %d", back[3])
	}
}

// What is decoded has the spectrogram that was encoded: the mean error over the points within 30 dB of the peak is some
// decibels, and the word keeps its pitch.
func TestDecodeKeepsTheSpectrogram(t *testing.T) {
	an, s := newAnalysis(), small()
	s.Frames, s.Rounds = 24, rounds
	a := newAdapter(s)
	c := slices.Clone(an.levels(word(8000, 130)))
	x := make([]float64, a.Free())
	s.encode(x, c)
	r := a.Decode(x, -1).(*row)
	file, err := wav.Read(bytes.NewReader(r.wav()), "row", 0)
	if err != nil || file.Rate != 8000 || file.Channels != 1 || len(file.Samples) != len(r.pcm) {
		t.Fatalf("the row's file: %d samples, %v", len(file.Samples), err)
	}
	an.t.Forward(an.c[:c.frames()*an.t.Bins()], file.Samples)
	peak := 0.0
	for _, v := range an.c[:c.frames()*an.t.Bins()] {
		peak = max(peak, math.Hypot(real(v), imag(v)))
	}
	sum, n := 0.0, 0.0
	for i, q := range c {
		want := (float64(q)/steps - 1) * s.FloorDB
		if want < -30 {
			continue
		}
		v := an.c[i/bins*an.t.Bins()+1+i%bins]
		sum += math.Abs(toDB(math.Hypot(real(v), imag(v))/peak) - want)
		n++
	}
	if mean := sum / n; !(mean < 1.5) { // measured 0.5 dB
		t.Errorf("levels are %.2f dB off on average over %v points", mean, n)
	}
	near(t, "loudness", toDB(r.rms), s.LoudnessDB, 0.2) // the soft end, since cut off, was part of it
	if r.margin < 0.9 || r.margin > 1 {
		t.Errorf("margin %v", r.margin)
	}
}

func TestLoudness(t *testing.T) {
	s := small()
	spiky := make([]float64, 1000)
	spiky[500] = 0.1
	s.MaxGainDB = 60
	if _, peak := rmsAndPeak(s.loudness(spiky)); math.Abs(toDB(peak)-peakDB) > 1e-9 {
		t.Errorf("a spike is brought to %v dBFS, want %v", toDB(peak), peakDB)
	}
	s.MaxGainDB = 6
	faint := pad(make([]float64, 100), 1e-4)
	if rms, _ := rmsAndPeak(s.loudness(faint)); math.Abs(toDB(rms)+74) > 1e-9 {
		t.Errorf("-80 dBFS raised by at most 6 dB is at %v", toDB(rms))
	}
	if x := s.loudness(make([]float64, 3)); slices.Max(x) != 0 {
		t.Errorf("silence becomes %v", x)
	}
}

func TestTrimEnd(t *testing.T) {
	got := trimEnd([]float64{0, 0.5, 0, 0.001, 0.0009, -0.0009, 0})
	if want := []int16{0, 16384, 0, 33}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := trimEnd([]float64{0.0001, 0}); len(got) != 0 {
		t.Errorf("what is below -60 dBFS throughout leaves %v", got)
	}
}
