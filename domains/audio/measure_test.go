package audio

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near fails when got is off want by more than off.
func near(t *testing.T, what string, got, want, off float64) {
	t.Helper()
	if !(math.Abs(got-want) <= off) {
		t.Errorf("%s is %v, want %v within %v", what, got, want, off)
	}
}

func pcm(n int, of func(i int) float64) []int16 {
	out := make([]int16, n)
	for i := range out {
		out[i] = int16(math.Round(32768 * of(i)))
	}
	return out
}

func TestMeasureSine(t *testing.T) {
	r := small().measure(pcm(8000, func(i int) float64 { return 0.5 * math.Sin(2*math.Pi*1000*float64(i)/8000) }))
	near(t, "peak", toDB(r.peak), -6.02, 0.01)
	near(t, "root mean square", toDB(r.rms), -9.03, 0.01)
	near(t, "offset", r.dc, 0, 1e-4)
	near(t, "crossings", r.crossings, 0.25, 0.001) // twice in 8 samples
	near(t, "bandwidth", r.bandwidth, 1000, 50)    // the window spreads it over 2 bins of 31 Hz
	near(t, "flatness", r.flatness, 0, 0.005)      // the half frames at the ends are not tones
	near(t, "silent share", r.silent, 0, 0)
	if r.clicks != 0 || r.clipped != 0 || r.clipRun != 0 {
		t.Errorf("a sine has %d clicks, %v clipped, a run of %d", r.clicks, r.clipped, r.clipRun)
	}
}

func TestMeasureNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := small().measure(pcm(40000, func(int) float64 { return 0.1 * rng.NormFloat64() }))
	// Powers in a frame are exponential, with geometric mean exp(-0.5772) of the mean.
	near(t, "flatness", r.flatness, math.Exp(-0.5772), 0.01)
	near(t, "crossings", r.crossings, 0.5, 0.01)
	near(t, "bandwidth", r.bandwidth, 3960, 30)
	if r.noisy >= r.flatness || r.noisy < 0.45 {
		t.Errorf("nine tenths of the frames exceed a flatness of %v, mean %v", r.noisy, r.flatness)
	}
	if r.clicks != 0 {
		t.Errorf("noise has %d clicks", r.clicks)
	}
}

func TestMeasureParts(t *testing.T) {
	s := small()
	if r := s.measure(nil); r.peak != 0 || r.clipped != 0 {
		t.Errorf("nothing measures %+v", r)
	}
	if r := s.measure(make([]int16, 500)); r.peak != 0 || r.rms != 0 || r.flatness != 0 {
		t.Errorf("zeros measure %+v", r)
	}
	half := s.measure(pcm(1600, func(i int) float64 { return float64(i/800) * 0.3 * math.Sin(float64(i)) }))
	near(t, "silent share", half.silent, 0.5, 1e-9)
	// Three at the top, one sample apart from two at the bottom and two at the top: a change of sign ends a run.
	clip := s.measure([]int16{32767, 32767, 32767, 5, -32768, -32768, 32767, 32767, 0, 0})
	near(t, "clipped", clip.clipped, 0.7, 1e-12)
	if clip.clipRun != 3 {
		t.Errorf("run of %d at full scale, want 3", clip.clipRun)
	}
	tone := func(i int) float64 { return 0.1 * math.Sin(2*math.Pi*300*float64(i)/8000) }
	for _, want := range []int{0, 1, 3} {
		got := s.measure(pcm(4000, func(i int) float64 {
			if i%900 == 450 && i/900 < want {
				return 0.9
			}
			return tone(i)
		})).clicks
		if got != want {
			t.Errorf("%d clicks planted, %d found", want, got)
		}
	}
}

// The onset of a loud sound is no click.
func TestOnsetIsNoClick(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := small().measure(pcm(4000, func(i int) float64 {
		if i < 2000 {
			return 0
		}
		return 0.2 * rng.NormFloat64()
	}))
	if r.clicks != 0 {
		t.Errorf("%d clicks", r.clicks)
	}
}
