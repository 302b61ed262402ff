package sampler_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pfgmgen/sampler"
)

// Oracle 23: the EDM schedule of 18 points, from the official formula (science brief 2.1), 1e-10 relative.
func TestOracle23KarrasGolden(t *testing.T) {
	want := []float64{80, 57.5859847212, 40.7855737965, 28.3745846042, 19.3524529803, 12.9100823808, 8.4009353091,
		5.3151945218, 3.25682151977, 1.92333983704, 1.08817063655, 0.585348123195, 0.296442284479, 0.139516468731,
		0.0599473112355, 0.0229345183723, 0.00752801996278, 0.002, 0}
	s, err := sampler.Karras(18, 0.002, 80, 7)
	if err != nil {
		t.Fatal(err)
	}
	if len(s) != len(want) || s.Steps() != 18 {
		t.Fatalf("%d levels, %d steps, want %d and 18", len(s), s.Steps(), len(want))
	}
	for i := range want {
		relative(t, fmt.Sprintf("level %d", i), s[i], want[i], 1e-10)
	}
}

func TestKarrasShape(t *testing.T) {
	for _, tc := range []struct {
		steps            int
		lo, hi, rho, mid float64 // mid: the level in the middle, 0 where there is none
	}{
		{1, 0.002, 80, 7, 0}, {2, 0.002, 80, 7, 0}, {3, 0.002, 80, 1, 40.001}, {5, 0.5, 50, 1e6, 5}, {1000, 1e-5, 1e5, 7, 0}, {40, 0.002, 380, 7, 0},
	} {
		s, err := sampler.Karras(tc.steps, tc.lo, tc.hi, tc.rho)
		if err != nil {
			t.Errorf("%+v: %v", tc, err)
			continue
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", tc, err)
		}
		if s[0] != tc.hi || s[len(s)-1] != 0 {
			t.Errorf("%+v: from %g to %g, want %g to 0", tc, s[0], s[len(s)-1], tc.hi)
		}
		// The brief asks for 1e-12; the ends are exact here.
		if tc.steps > 1 && s[len(s)-2] != tc.lo {
			t.Errorf("%+v: last positive level %g", tc, s[len(s)-2])
		}
		if tc.mid != 0 {
			// rho = 1 is linear in sigma; rho = 1e6 is linear in ln sigma to 1e-5.
			relative(t, "middle level", s[tc.steps/2], tc.mid, 1e-4)
		}
	}
	one, err := sampler.Karras(1, 0.002, 80, 7)
	if err != nil || len(one) != 2 || one[0] != 80 || one[1] != 0 {
		t.Errorf("one step: %v, %v, want [80 0]", one, err)
	}
}

func TestKarrasRefuses(t *testing.T) {
	for _, tc := range []struct {
		steps       int
		lo, hi, rho float64
		says        string
	}{
		{0, 0.002, 80, 7, "steps is 0"}, {-3, 0.002, 80, 7, "steps is -3"}, {1 << 40, 0.002, 80, 7, "steps is 1099511627776, want 1 to 10000"},
		{18, 0, 80, 7, "sigma range"}, {18, -1, 80, 7, "sigma range"}, {18, 80, 80, 7, "sigma range"}, {18, 80, 1, 7, "sigma range"},
		{18, math.NaN(), 80, 7, "sigma range"}, {18, 0.002, math.NaN(), 7, "sigma range"}, {18, 0.002, inf, 7, "sigma range"},
		{18, 0.002, 80, 0, "rho is 0"}, {18, 0.002, 80, -7, "rho is -7"}, {18, 0.002, 80, math.NaN(), "rho is NaN"}, {18, 0.002, 80, inf, "rho is +Inf"},
		{18, 0.002, 80, 1e-3, "positive finite"}, // 80^1000 overflows
		{18, 1, 1 + 1e-15, 7, "not below"},       // no room for 18 levels in float64
	} {
		s, err := sampler.Karras(tc.steps, tc.lo, tc.hi, tc.rho)
		if err == nil || !strings.HasPrefix(err.Error(), "sampler: ") || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: schedule %v, error %v, want one that says %q", tc, s, err, tc.says)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	for _, s := range []sampler.Schedule{nil, {0}, {1}, {1, 0.5}, {1, 1, 0}, {1, 2, 0}, {inf, 1, 0}, {math.NaN(), 0}, {1, math.NaN(), 0}, {1, 0, 0}, {1, -1, 0}, {1, math.NaN()}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%v is taken as a schedule", s)
		}
	}
	if err := (sampler.Schedule{2, 1, 0}).Validate(); err != nil {
		t.Error(err)
	}
}
