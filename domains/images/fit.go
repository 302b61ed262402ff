package images

import (
	"fmt"
	"math"
	"slices"
)

// maxNoise bounds the ratio of IM_NOISE. Neighbours differ by at most full scale; the deviation of a picture that is not
// constant is at least sqrt((n-1)/n^2) of a level, n below 2^18.
const maxNoise = 1 << 20

// fit measures the thresholds of the gates on the training part.
func (l *loader) fit() error {
	s := &l.s
	s.Version = settingsVersion
	var saturated, noise, distinct []float64
	h, flats := newHasher(s.crop()), 0
	hashes, different := make([]uint64, 0, len(l.train)), make(map[uint64]bool)
	for i, r := range l.train {
		if i%1024 == 0 && l.ctx.Err() != nil {
			return fmt.Errorf("images: loading stopped: %w", l.ctx.Err())
		}
		m := measure(r.picture)
		if m.std < 1.0/255 {
			flats++
		}
		distinct = append(distinct, float64(m.distinct))
		saturated = append(saturated, m.saturated)
		noise = append(noise, m.noise)
		if hash := h.hash(r.picture); !different[hash] && len(hashes) < maxHashes {
			different[hash] = true
			hashes = append(hashes, hash)
		}
	}
	if len(hashes) == maxHashes {
		l.note("IM_DUP knows the first %d different training pictures, no more", maxHashes)
	}
	if flats > 0 {
		l.note("%d training pictures are of one value: the check IM_CONST will reject such rows", flats)
	}
	known := newFilter(len(hashes))
	for _, hash := range hashes {
		known.add(hash)
	}
	s.Known = known
	s.Levels = min(leastLevels, int(lowQuantile(distinct, 0.001)))
	s.Saturated, s.Noise = highQuantile(saturated, 0.999), highQuantile(noise, 0.999)
	if err := s.check(); err != nil {
		return fmt.Errorf("images: the data give settings that cannot be used: %w", err)
	}
	return nil
}

// lowQuantile is the value at rank floor(q (n-1)) of the sorted values, counted from 0: at most a share q lies below.
func lowQuantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Floor(q*float64(len(v)-1)))]
}

// highQuantile is the value at rank ceil(q (n-1)) of the sorted values: at most a share 1-q lies above.
func highQuantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Ceil(q*float64(len(v)-1)))]
}
