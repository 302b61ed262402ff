package images

import (
	"fmt"

	"pfgmgen/domains"
)

// levels are the encoded values of the 256 levels, u/127.5 - 1.
var levels = func() (t [256]float64) {
	for u := range t {
		t[u] = float64(u)/127.5 - 1
	}
	return t
}()

// encode writes a picture into the crop box of the tensor and repeats its edge around it.
func (a *adapter) encode(dst []float64, p picture) {
	s := a.s
	top, left := s.Crop[0], s.Crop[1]
	for c := range s.Channels {
		for y := range s.Height {
			from := p.pix[(c*p.height+min(max(y-top, 0), p.height-1))*p.width:][:p.width]
			to := dst[(c*s.Height+y)*s.Width:][:s.Width]
			if len(from) == len(to) {
				for x, u := range from {
					to[x] = levels[u]
				}
				continue
			}
			for x := range to {
				to[x] = levels[from[min(max(x-left, 0), p.width-1)]]
			}
		}
	}
}

var _ domains.Examples = (*examples)(nil)

// examples hold the pictures of one part.
type examples struct {
	adapter  *adapter
	pictures []picture
	labels   []int // nil when unconditional
}

func (e *examples) Len() int { return len(e.pictures) }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.adapter.Free() {
		panic(fmt.Sprintf("images: Encode into %d values, the shape has %d", len(dst), e.adapter.Free()))
	}
	e.adapter.encode(dst, e.pictures[i])
	if e.labels == nil {
		return -1
	}
	return e.labels[i]
}

func (e *examples) Key(i int) string { return e.pictures[i].key() }
