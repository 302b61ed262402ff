package audio

import (
	"math"
	"slices"
)

// lowQuantile is the value at rank floor(q (n-1)) of the sorted values, counted from 0: at most a share q lies below.
func lowQuantile[T int | float64](values []T, q float64) T {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Floor(q*float64(len(v)-1)))]
}

// highQuantile is the value at rank ceil(q (n-1)).
func highQuantile[T int | float64](values []T, q float64) T {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Ceil(q*float64(len(v)-1)))]
}
