package images

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// softness is the standard deviation of the noise that Confidence's entropy supposes, in levels of 255.
const softness = 0.25

// inRange bounds the encoded values that IM_RANGE takes for sound: half of the full range beyond either end.
const inRange = 1.5

// Decode truncates clip(127.5 x + 128, 0, 255) to a level, as EDM does, and cuts out the crop box. NaN becomes level 0
// and fails IM_NAN. It panics when x has not the length of the shape.
func (a *adapter) Decode(x []float64, label int) domains.Row {
	if len(x) != a.Free() {
		panic(fmt.Sprintf("images: Decode of %d values, the shape has %d", len(x), a.Free()))
	}
	r := &row{picture: a.s.crop(), finite: true}
	for _, v := range x {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			r.finite = false
			r.outside++
		case v > inRange || v < -inRange:
			r.outside++
		}
	}
	r.outside /= float64(len(x))
	r.pix = make([]byte, r.channels*r.height*r.width)
	var margin, entropy float64
	for c := range r.channels {
		for y := range r.height {
			from := x[(c*a.s.Height+a.s.Crop[0]+y)*a.s.Width+a.s.Crop[1]:][:r.width]
			to := r.pix[(c*r.height+y)*r.width:][:r.width]
			for i, v := range from {
				to[i] = level(v)
				m, h := decided(v)
				margin += m
				entropy += h
			}
		}
	}
	n := float64(len(r.pix))
	r.margin, r.entropy = float32(margin/n), float32(entropy/n)
	r.stats = measure(r.picture)
	r.copied = a.known.has(a.hasher.hash(r.picture))
	e := a.encoders.Get().(*encoder)
	r.png, r.jpegBytes = e.encode(r.picture)
	a.encoders.Put(e)
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// level is the value of one pixel.
func level(v float64) byte {
	u := v*127.5 + 128
	switch {
	case u >= 255:
		return 255
	case u >= 0:
		return byte(u)
	}
	return 0 // NaN too
}

// decided is how far one value lies from the border between two levels: the gap between the distances to the second
// nearest and the nearest level, in encoded units, at most the distance of two levels; and the entropy in bits of the
// level under Gaussian noise, of which only the two nearest count. Values beyond the ends are certain, NaN is not.
func decided(v float64) (margin, entropy float64) {
	u := v*127.5 + 127.5
	if math.IsNaN(u) {
		return 0, 1
	}
	if u < 0 || u > 255 {
		return 1 / 127.5, 0
	}
	d := math.Abs(u - math.Round(u)) // to the nearest, 0 to 0.5; the second is 1-d away
	gap := 1 - 2*d
	p := 1 / (1 + math.Exp(gap/(2*softness*softness))) // of the second: ((1-d)^2 - d^2) / (2 softness^2) in the exponent
	if p > 0 {
		entropy = -p*math.Log2(p) - (1-p)*math.Log2(1-p)
	}
	return gap / 127.5, entropy
}
