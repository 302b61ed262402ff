package images

import (
	"fmt"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "IM_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "IM_RANGE", About: "hard: more than 1 % of the values before clipping outside -1.5 to 1.5, where -1 and 1 are the darkest and the brightest level"},
	{Name: "IM_CONST", About: "hard: standard deviation below one level of 255, or fewer distinct values than the lower of 4 and the 0.1 % quantile of the training pictures"},
	{Name: "IM_SAT", About: "warning: share of values at 0 or full scale above the 99.9 % quantile of the training pictures"},
	{Name: "IM_NOISE", About: "warning: mean difference of neighbours, relative to the deviation within channels, above the 99.9 % quantile of the training pictures: sampling did not finish"},
	{Name: "IM_DUP", About: "warning: the perceptual hash (signs of the 8 x 8 lowest cosine coefficients) is that of a training picture; one in 2,000 other pictures is taken for one"},
}

// leastLevels is the number of distinct values that is always enough for IM_CONST.
const leastLevels = 4

// maxOutside is the share of values beyond inRange that IM_RANGE lets pass.
const maxOutside = 0.01

// newGates are the rules with this adapter's thresholds.
func (a *adapter) newGates() []validate.Gate[*row] {
	s := a.s
	return []validate.Gate[*row]{
		{Code: "IM_NAN", Hard: true, About: "finite values only",
			Fails: func(r *row) bool { return !r.finite }},
		{Code: "IM_RANGE", Hard: true, About: fmt.Sprintf("at most %g of the values beyond +-%g before clipping", maxOutside, inRange),
			Fails: func(r *row) bool { return r.outside > maxOutside }},
		{Code: "IM_CONST", Hard: true, About: fmt.Sprintf("deviation of at least one level of 255 and %d distinct values", s.Levels),
			Fails: func(r *row) bool { return r.stats.std < 1.0/255 || r.stats.distinct < s.Levels }},
		{Code: "IM_SAT", About: fmt.Sprintf("at most %.4g of the values at 0 or full scale", s.Saturated),
			Fails: func(r *row) bool { return r.stats.saturated > s.Saturated }},
		{Code: "IM_NOISE", About: fmt.Sprintf("difference of neighbours at most %.4g deviations", s.Noise),
			Fails: func(r *row) bool { return r.stats.noise > s.Noise }},
		{Code: "IM_DUP", About: "not the perceptual hash of a training picture",
			Fails: func(r *row) bool { return r.copied }},
	}
}
