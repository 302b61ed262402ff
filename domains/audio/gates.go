package audio

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

const (
	clipShare = 0.001 // AU_CLIP above this
	clipRun   = 8     // or from this on
	dcLimit   = 0.01  // AU_DC above this, full scale is 1,
	dcRatio   = 0.1   // and above this share of the root mean square
)

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "AU_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "AU_CLIP", About: "hard: more than 0.1 % of the samples at full scale, or a run of 8 equal ones there"},
	{Name: "AU_DC", About: "hard: the mean of the samples is over 0.01 of full scale and over 0.1 of the root mean square"},
	{Name: "AU_SILENT", About: "hard: no sample reaches -60 dBFS"},
	{Name: "AU_SILENT_FRAC", About: "warning: share of silent frames (10 ms below -60 dBFS) above the 99.9 % quantile of the training clips"},
	{Name: "AU_NOISE", About: "warning: in more than 90 % of the frames a spectral flatness above the one that the 99.9 % quantile of the training clips has there"},
	{Name: "AU_CLICK", About: "warning: more clicks (second difference over 12 times the local root mean square) than the 99.9 % quantile of the training clips"},
	{Name: "AU_LEN", About: "warning: length outside the training range (0.1 % to 99.9 % quantile, 10 % wider on both sides)"},
}

// newGates are the rules with this adapter's thresholds.
func (a *adapter) newGates() []validate.Gate[*row] {
	s := a.s
	return []validate.Gate[*row]{
		{Code: "AU_NAN", Hard: true, About: "finite values only",
			Fails: func(r *row) bool { return !r.finite }},
		{Code: "AU_CLIP", Hard: true, About: fmt.Sprintf("at most %g of the samples at full scale, no run of %d", clipShare, clipRun),
			Fails: func(r *row) bool { return r.clipped > clipShare || r.clipRun >= clipRun }},
		{Code: "AU_DC", Hard: true, About: fmt.Sprintf("mean at most %g, or %g of the root mean square", dcLimit, dcRatio),
			Fails: func(r *row) bool { return math.Abs(r.dc) > dcLimit && math.Abs(r.dc) > dcRatio*r.rms }},
		{Code: "AU_SILENT", Hard: true, About: fmt.Sprintf("a peak of at least %d dBFS", silentDB),
			Fails: func(r *row) bool { return r.peak < fromDB(silentDB) }},
		{Code: "AU_SILENT_FRAC", About: fmt.Sprintf("at most %.3g of the frames silent", s.SilentShare),
			Fails: func(r *row) bool { return r.silent > s.SilentShare }},
		{Code: "AU_NOISE", About: fmt.Sprintf("a tenth of the frames with a flatness of at most %.3g", s.Flatness),
			Fails: func(r *row) bool { return r.noisy > s.Flatness }},
		{Code: "AU_CLICK", About: fmt.Sprintf("at most %d clicks", s.Clicks),
			Fails: func(r *row) bool { return r.clicks > s.Clicks }},
		{Code: "AU_LEN", About: fmt.Sprintf("%d to %d samples", s.Lengths[0], s.Lengths[1]),
			Fails: func(r *row) bool { return len(r.pcm) < s.Lengths[0] || len(r.pcm) > s.Lengths[1] }},
	}
}
