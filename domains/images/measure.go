package images

import "math"

// stats are what the columns and the gates say of a picture. Values are shares of full scale.
type stats struct {
	mean, std, min, max float64
	saturated           float64 // share of values that are 0 or 255
	entropy             float64 // bits
	tv                  float64 // mean absolute difference of neighbours
	noise               float64 // tv over the deviation within channels; 0 for a constant picture
	distinct            int     // values
}

// measure takes all channels together; neighbours are those of the same channel.
func measure(p picture) stats {
	var s stats
	var histogram [256]int
	plane := p.height * p.width
	within := 0.0 // squared deviations from the channel's own mean
	for c := range p.channels {
		sum, squares := 0, 0
		for _, u := range p.pix[c*plane : (c+1)*plane] {
			histogram[u]++
			sum += int(u)
			squares += int(u) * int(u)
		}
		within += float64(squares) - float64(sum)*float64(sum)/float64(plane)
	}
	n := float64(len(p.pix))
	sum, squares := 0.0, 0.0
	s.min = 1
	for u, count := range histogram {
		if count == 0 {
			continue
		}
		v, q := float64(u)/255, float64(count)/n
		s.distinct++
		s.min, s.max = min(s.min, v), max(s.max, v)
		sum += q * v
		squares += q * v * v
		s.entropy -= q * math.Log2(q)
	}
	s.entropy = max(0, s.entropy) // not -0
	s.mean, s.std = sum, math.Sqrt(max(0, squares-sum*sum))
	s.saturated = float64(histogram[0]+histogram[255]) / n

	differences, pairs := 0, p.channels*(p.height*(p.width-1)+(p.height-1)*p.width)
	for c := range p.channels {
		for y := range p.height {
			line := p.pix[(c*p.height+y)*p.width:][:p.width]
			for x := 1; x < len(line); x++ {
				differences += distance(line[x], line[x-1])
			}
			if y == 0 {
				continue
			}
			above := p.pix[(c*p.height+y-1)*p.width:][:p.width]
			for x, u := range line {
				differences += distance(u, above[x])
			}
		}
	}
	s.tv = float64(differences) / float64(pairs) / 255
	if deviation := math.Sqrt(max(0, within)/n) / 255; deviation > 0 {
		s.noise = s.tv / deviation
	}
	return s
}

func distance(a, b byte) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}
