package pipeline

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"pfgmgen/sampler"
)

// labelFaults says what is wrong with Labels, LabelCounts and LabelShares.
func (p Plan) labelFaults() []string {
	var faults []string
	seen := make(map[string]bool)
	for _, l := range p.Labels {
		if seen[l] {
			faults = append(faults, fmt.Sprintf("label %q is there twice", l))
		}
		seen[l] = true
	}
	if p.LabelShares != nil {
		sum := 0.0
		for _, s := range p.LabelShares {
			if !(s >= 0) {
				return append(faults, fmt.Sprintf("label_shares hold %g, want 0 to 1", s))
			}
			sum += s
		}
		// A contract's shares are rounded quotients; 1e-6 is far above what thousands of them add up to.
		if len(p.LabelShares) != len(p.Labels) || math.Abs(sum-1) > 1e-6 || p.LabelCounts != nil {
			faults = append(faults, fmt.Sprintf("%d label_shares with a sum of %g for %d labels, want one for each with a sum of 1, and no label_counts beside them",
				len(p.LabelShares), sum, len(p.Labels)))
		}
	}
	if p.LabelCounts == nil {
		return faults
	}
	if len(p.LabelCounts) != len(p.Labels) {
		return append(faults, fmt.Sprintf("%d label_counts for %d labels", len(p.LabelCounts), len(p.Labels)))
	}
	var sum int64
	for i, c := range p.LabelCounts {
		if c < 1 || c > p.NumSamples {
			return append(faults, fmt.Sprintf("label %q has a count of %d, want 1 to num_samples (%d)", p.Labels[i], c, p.NumSamples))
		}
		if sum += c; sum > p.NumSamples {
			break
		}
	}
	if sum != p.NumSamples {
		faults = append(faults, fmt.Sprintf("the label counts do not add up to num_samples, %d", p.NumSamples))
	}
	return faults
}

// A labelling gives each sample its class. With counts the first label has the first indices, and so on; with shares each
// sample draws its label, by the seed and its index; otherwise the plan's labels take turns.
type labelling struct {
	classes []int // class of each of the plan's labels; empty for an unconditional model
	names   []string
	ends    []int64   // first index after each label's samples; nil without counts
	upTo    []float64 // sum of the shares up to each label; nil without shares
	seed    uint64
}

// newLabelling looks the plan's labels up among the names of the adapter's classes.
func newLabelling(p Plan, names []string) (labelling, error) {
	l := labelling{names: names, seed: p.Seed}
	if len(names) == 0 {
		if len(p.Labels) > 0 {
			return l, fmt.Errorf("pipeline: the plan has the labels %s, but the model is unconditional", strings.Join(p.Labels, ", "))
		}
		return l, nil
	}
	if len(p.Labels) == 0 {
		return l, fmt.Errorf("pipeline: the model has %d classes, but the plan has no labels", len(names))
	}
	for _, label := range p.Labels {
		class := slices.Index(names, label)
		if class < 0 {
			return l, fmt.Errorf("pipeline: the model has no class %q", label)
		}
		l.classes = append(l.classes, class)
	}
	var end int64
	for _, c := range p.LabelCounts {
		end += c
		l.ends = append(l.ends, end)
	}
	sum := 0.0
	for _, s := range p.LabelShares {
		sum += s
		l.upTo = append(l.upTo, sum)
	}
	return l, nil
}

// class is that of sample index, -1 without classes.
func (l labelling) class(index int64) int {
	switch {
	case len(l.classes) == 0:
		return -1
	case l.upTo != nil:
		u := l.upTo[len(l.upTo)-1] * sampler.NewStream(l.seed, index, 0, sampler.PurposeLabel).Float64()
		return l.classes[sort.Search(len(l.upTo), func(k int) bool { return u < l.upTo[k] })]
	case l.ends == nil:
		return l.classes[index%int64(len(l.classes))]
	}
	return l.classes[sort.Search(len(l.ends), func(k int) bool { return index < l.ends[k] })]
}

// name is that of a class; ok is false for -1.
func (l labelling) name(class int) (name string, ok bool) {
	if class < 0 {
		return "", false
	}
	return l.names[class], true
}
