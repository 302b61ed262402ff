package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pfgmgen/validate"
)

// Each fault is planted into a decoded training clip that no gate says anything about: into the sample before decoding
// where decoding lets it through, else into the signal.
func TestGatesCatchPlantedFaults(t *testing.T) {
	d := loadDigits(t)
	a := d.Adapter.(*adapter)
	x, good := make([]float64, a.Free()), (*row)(nil)
	for i := 0; good == nil || len(good.pcm) < 3000 || len(good.verdict.Warnings) > 0; i++ {
		d.Train.Encode(x, i)
		good = a.Decode(x, -1).(*row)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct {
		name, code string
		hard       bool
		x          func(x []float64)
		pcm        func(pcm []int16) []int16
	}{
		{name: "NaN", code: "AU_NAN", hard: true, x: func(x []float64) { x[77] = math.NaN() }},
		{name: "infinity in the silence", code: "AU_NAN", hard: true, x: func(x []float64) { x[len(x)-1] = math.Inf(-1) }},
		{name: "overdriven by 24 dB", code: "AU_CLIP", hard: true, pcm: func(p []int16) []int16 {
			for i, v := range p {
				p[i] = int16(max(math.MinInt16, min(math.MaxInt16, 16*int(v))))
			}
			return p
		}},
		{name: "one run of eight", code: "AU_CLIP", hard: true, pcm: func(p []int16) []int16 {
			for i := range 8 { // in over 8,000 samples, so that the share is below 0.1 %
				p[1000+i] = math.MinInt16
			}
			return slices.Concat(p, good.pcm, good.pcm)
		}},
		{name: "offset", code: "AU_DC", hard: true, pcm: func(p []int16) []int16 {
			for i := range p {
				p[i] = int16(max(math.MinInt16, min(math.MaxInt16, int(p[i])+1000)))
			}
			return p
		}},
		{name: "silent model", code: "AU_SILENT", hard: true, x: func(x []float64) {
			for i := range x {
				x[i] = -4
			}
		}},
		{name: "nearly silent signal", code: "AU_SILENT", hard: true, pcm: func(p []int16) []int16 {
			for i, v := range p {
				p[i] = v / 1024
			}
			return p
		}},
		{name: "a long gap", code: "AU_SILENT_FRAC", pcm: func(p []int16) []int16 {
			return slices.Concat(p[:1500], make([]int16, len(p)), p[1500:])
		}},
		{name: "noise from the model", code: "AU_NOISE", x: func(x []float64) {
			for i := range x { // 40 dB and a little
				x[i] = (40 + 2*rng.NormFloat64() - a.s.Means[i%bins]) / (2 * a.s.SpreadsDB[i%bins])
			}
		}},
		{name: "noise under the speech", code: "AU_NOISE", pcm: func(p []int16) []int16 {
			for i := range p {
				p[i] = int16(max(math.MinInt16, min(math.MaxInt16, int(p[i])+int(3000*rng.NormFloat64()))))
			}
			return p
		}},
		{name: "clicks", code: "AU_CLICK", pcm: func(p []int16) []int16 {
			for i := range a.s.Clicks + 1 {
				p = slices.Concat(p, make([]int16, 300))
				p[len(p)-150+i] = 20000
			}
			return p
		}},
		{name: "cut short", code: "AU_LEN", x: func(x []float64) {
			for i := 6 * bins; i < len(x); i++ {
				x[i] = -4
			}
		}},
		{name: "too long", code: "AU_LEN", pcm: func(p []int16) []int16 { return slices.Concat(p, p, p) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var v validate.Verdict
			if tc.x != nil {
				y := slices.Clone(x)
				tc.x(y)
				v = a.Decode(y, -1).Verdict()
			} else {
				r := a.s.measure(tc.pcm(slices.Clone(good.pcm)))
				r.finite = true
				v = validate.Apply(a.gates, r)
			}
			if slices.Contains(v.Violations, tc.code) != tc.hard || slices.Contains(v.Warnings, tc.code) == tc.hard {
				t.Errorf("violations %v, warnings %v", v.Violations, v.Warnings)
			}
		})
	}
}

// Just inside and just outside of the fixed limits.
func TestFixedLimits(t *testing.T) {
	a := newAdapter(small())
	for _, tc := range []struct {
		code      string
		good, bad row
	}{
		{"AU_CLIP", row{clipped: 0.001, clipRun: 7}, row{clipped: 0.0011}},
		{"AU_CLIP", row{clipRun: 7}, row{clipRun: 8}},
		{"AU_DC", row{dc: 0.01}, row{dc: -0.0101}},
		{"AU_DC", row{dc: 0.02, rms: 0.21}, row{dc: 0.02, rms: 0.19}},
		{"AU_SILENT", row{peak: 0.00101}, row{peak: 0.00099}},
	} {
		g := a.gates[slices.IndexFunc(a.gates, func(g validate.Gate[*row]) bool { return g.Code == tc.code })]
		if g.Fails(&tc.good) || !g.Fails(&tc.bad) {
			t.Errorf("%s: %+v fails %v, %+v fails %v", tc.code, tc.good, g.Fails(&tc.good), tc.bad, g.Fails(&tc.bad))
		}
	}
}
