package images

import "math"

// resized cuts out the middle square and averages: each new pixel is the mean of the area of the old ones that it
// covers, partly covered ones weighted by their share (a box filter), rounded to the nearest level. The mean is over
// the stored values, as usual for training data, not over linear light.
func (p picture) resized(n int) picture {
	if p.height == n && p.width == n {
		return p
	}
	side := min(p.height, p.width)
	top, left := (p.height-side)/2, (p.width-side)/2
	out := picture{n, n, p.channels, make([]byte, p.channels*n*n)}
	rows := make([]float64, side*n) // each row of one channel, n columns wide
	spans := boxes(side, n)
	for c := range p.channels {
		clear(rows)
		plane := p.pix[c*p.height*p.width:]
		for y := range side {
			line := plane[(top+y)*p.width+left:][:side]
			for x, s := range spans {
				sum := 0.0
				for k, w := range s.weights {
					sum += w * float64(line[s.first+k])
				}
				rows[y*n+x] = sum
			}
		}
		for y, s := range spans {
			to := out.pix[(c*n+y)*n:][:n]
			for x := range to {
				sum := 0.0
				for k, w := range s.weights {
					sum += w * rows[(s.first+k)*n+x]
				}
				to[x] = byte(max(0, min(255, math.Floor(sum+0.5))))
			}
		}
	}
	return out
}

// A box is what one new pixel covers of a line of old ones.
type box struct {
	first   int
	weights []float64 // of first and those behind it; they sum to 1
}

func boxes(from, to int) []box {
	out := make([]box, to)
	scale := float64(from) / float64(to)
	for i := range out {
		begin, end := float64(i)*scale, float64(i+1)*scale
		first := int(begin)
		last := min(from, int(math.Ceil(end)))
		out[i].first = first
		for k := first; k < last; k++ {
			covered := math.Min(end, float64(k+1)) - math.Max(begin, float64(k))
			out[i].weights = append(out[i].weights, max(0, covered)/scale)
		}
	}
	return out
}
