package domains

import (
	"fmt"
	"math"
)

// SigmaData is the standard deviation of data in model space.
const SigmaData = 0.5

// A Scale takes vectors of an adapter to model space and back: model = Scale*(encoded - Offset).
type Scale struct{ Offset, Scale float64 }

// A Measure is what the encoded records of a data set are like.
type Measure struct {
	Mean, Deviation float64 // over all present coordinates of all records
	Records         int
	Present         float64 // coordinates of a record, on average
}

// MeasureExamples measures encoded records of size coordinates. masked says that what is exactly 0 is absent
// (Masked). It is an error when there is nothing to measure or a number is not finite.
func MeasureExamples(e Examples, size int, masked bool) (Measure, error) {
	var n, mean, m2 float64 // Welford's sums, by record: the mean may be far from 0
	x := make([]float64, size)
	for i := range e.Len() {
		e.Encode(x, i)
		for j, v := range x {
			switch {
			case v == 0 && masked:
				continue
			case v-v != 0:
				return Measure{}, fmt.Errorf("domains: record %d (%.80s): coordinate %d is encoded as %g, want a finite number", i, e.Key(i), j, v)
			}
			n++
			d := v - mean
			mean += d / n
			m2 += d * (v - mean)
		}
	}
	if n == 0 {
		return Measure{}, fmt.Errorf("domains: nothing to measure in %d records of %d coordinates", e.Len(), size)
	}
	return Measure{Mean: mean, Deviation: math.Sqrt(m2 / n), Records: e.Len(), Present: n / float64(e.Len())}, nil
}

// exact is how close to mean 0 and deviation SigmaData an encoding has to be to be left as it is: one-hot vectors miss
// by the rounding of their sums alone.
const exact = 1e-9

// Fit is the scale that brings measured data to mean 0 and deviation SigmaData. Data that do not vary are an error.
func (m Measure) Fit() (Scale, error) {
	if !(m.Deviation > 1e-9*(1+math.Abs(m.Mean))) {
		return Scale{}, fmt.Errorf("domains: the %d records are all encoded as %g, so there is nothing to learn", m.Records, m.Mean)
	}
	s := Scale{Offset: m.Mean, Scale: SigmaData / m.Deviation}
	if math.Abs(s.Offset) < exact {
		s.Offset = 0
	}
	if math.Abs(s.Scale-1) < exact {
		s.Scale = 1
	}
	return s, nil
}

// Mismatch is the largest share by which the mean or the deviation of data may differ, in model space, from 0 and
// SigmaData before a model is not for them: a tenth of SigmaData.
const Mismatch = 0.1

// Check says whether data fit a model's scale. Its error names both figures.
func (m Measure) Check(s Scale) error {
	mean, deviation := s.Scale*(m.Mean-s.Offset), math.Abs(s.Scale)*m.Deviation
	if math.Abs(mean) > Mismatch*SigmaData || math.Abs(deviation-SigmaData) > Mismatch*SigmaData {
		return fmt.Errorf("domains: on the model's scale (offset %.4g, scale %.4g) these data have mean %.4f and deviation %.4f, want 0 and %g within %g %%: the model was made for other data, or with other settings",
			s.Offset, s.Scale, mean, deviation, SigmaData, 100*Mismatch)
	}
	return nil
}

// InModelSpace are examples on a model's scale. What is absent stays 0.
func InModelSpace(e Examples, s Scale, masked bool) Examples {
	if s == (Scale{0, 1}) {
		return e
	}
	return scaled{e, s, masked}
}

type scaled struct {
	Examples
	scale  Scale
	masked bool
}

func (e scaled) Encode(dst []float64, i int) int {
	label := e.Examples.Encode(dst, i)
	for j, v := range dst {
		if v != 0 || !e.masked {
			dst[j] = e.scale.Scale * (v - e.scale.Offset)
		}
	}
	return label
}
