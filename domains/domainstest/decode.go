package domainstest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"pfgmgen/domains"
)

func (s *subject) checkIdentity() error {
	return s.each(func(e domains.Examples, i int, x []float64, label int) error {
		before := slices.Clone(x)
		row := s.data.Adapter.Decode(x, label)
		if row.Key() != e.Key(i) {
			return fmt.Errorf("record %d decodes to %.80q, want %.80q", i, row.Key(), e.Key(i))
		}
		if !slices.Equal(x, before) {
			return errors.New("decoding changes its input")
		}
		if margin, entropy := row.Confidence(); !(margin > 0) || !(entropy >= 0 && entropy < 1) {
			return fmt.Errorf("record %d is decoded with margin %v and entropy %v bits: a real record should be certain", i, margin, entropy)
		}
		return s.checkCodes(row)
	})
}

// checkCodes holds verdicts to the codes that are described.
func (s *subject) checkCodes(row domains.Row) error {
	v := row.Verdict()
	for _, code := range slices.Concat(v.Violations, v.Warnings) {
		if !slices.ContainsFunc(s.Describe().Checks, func(c domains.Item) bool { return c.Name == code }) {
			return fmt.Errorf("code %s is not described", code)
		}
	}
	return nil
}

func (s *subject) checkHeldOut() error {
	x, rejected, e := make([]float64, s.size()), 0, s.data.Valid
	codes := make(map[string]int)
	n := s.count(e)
	for i := range n {
		label := e.Encode(x, i)
		v := s.data.Adapter.Decode(x, label).Verdict()
		if !v.Valid() {
			rejected++
		}
		for _, c := range v.Violations {
			codes[c]++
		}
	}
	if share := float64(rejected) / float64(n); share > s.MaxRejected {
		return fmt.Errorf("%d of %d held-out records rejected (%.3g), at most %g allowed: %v", rejected, n, share, s.MaxRejected, codes)
	}
	return nil
}

// samples are what a network may put out, good and bad. The second part is not finite.
func (s *subject) samples() (finite, broken [][]float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	fill := func(f func(i int) float64) []float64 {
		x := make([]float64, s.size())
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	finite = [][]float64{
		fill(func(int) float64 { return 0 }),
		fill(func(int) float64 { return math.MaxFloat64 }),
		fill(func(int) float64 { return -math.MaxFloat64 }),
		fill(func(i int) float64 { return math.Copysign(math.MaxFloat64, float64(i%2)-0.5) }),
		fill(func(int) float64 { return math.SmallestNonzeroFloat64 }),
	}
	for _, scale := range []float64{0.01, 0.5, 1, 80} {
		finite = append(finite, fill(func(int) float64 { return scale * rng.NormFloat64() }))
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		broken = append(broken, fill(func(int) float64 { return bad }),
			fill(func(i int) float64 {
				if i%3 == 0 {
					return bad
				}
				return rng.NormFloat64()
			}))
		for _, at := range []int{0, s.size() / 2, s.size() - 1} {
			x := make([]float64, s.size())
			s.data.Train.Encode(x, 0)
			x[at] = bad
			broken = append(broken, x)
		}
	}
	return finite, broken
}

// labels are all that Decode may be called with, and some that are no class.
func (s *subject) labels() []int {
	n := len(s.data.Adapter.Labels())
	out := []int{-1, n, math.MaxInt, math.MinInt}
	for i := range min(n, 4) {
		out = append(out, i)
	}
	return out
}

func (s *subject) checkTotal() error {
	finite, broken := s.samples()
	for i, x := range slices.Concat(finite, broken) {
		for _, label := range s.labels() {
			row := s.data.Adapter.Decode(x, label)
			if i >= len(finite) && row.Verdict().Valid() {
				return fmt.Errorf("sample %d has NaN or an infinity and passes all hard gates", i-len(finite))
			}
			margin, entropy := float64(first(row.Confidence())), float64(second(row.Confidence()))
			if !(margin >= 0) || math.IsInf(margin, 0) || !(entropy >= 0) || math.IsInf(entropy, 0) {
				return fmt.Errorf("sample %d: margin %v, entropy %v, want finite values of at least 0", i, margin, entropy)
			}
			if err := s.checkCodes(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func first(a, _ float32) float32  { return a }
func second(_, b float32) float32 { return b }
