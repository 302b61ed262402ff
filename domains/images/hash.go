package images

import (
	"encoding/binary"
	"math"
)

// hashSide is the number of frequencies of each direction in a perceptual hash.
const hashSide = 8

// A hasher computes the perceptual hash of pictures of one size: the signs of the 8 x 8 lowest coefficients of the
// discrete cosine transform (type II) of the luma, bit 8 v + u for u cycles of half a period across and v down. The
// constant one has no sign that tells anything: its bit says whether the mean is above half scale.
type hasher struct {
	rows, columns [hashSide][]float64 // orthonormal cosines; empty for frequencies that a short side has not
}

func newHasher(shape picture) *hasher {
	h := new(hasher)
	for k := range hashSide {
		h.rows[k], h.columns[k] = cosines(k, shape.height), cosines(k, shape.width)
	}
	return h
}

func cosines(k, n int) []float64 {
	if k >= n {
		return nil
	}
	out, scale := make([]float64, n), math.Sqrt(2/float64(n))
	if k == 0 {
		scale = math.Sqrt(1 / float64(n))
	}
	for i := range out {
		out[i] = scale * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n))
	}
	return out
}

// flat is the size in levels below which a coefficient counts as zero, not above: rounding errors are some 1e-10, a change
// of one pixel by one level about 1/n.
const flat = 1e-6

func (h *hasher) hash(p picture) uint64 {
	g := p.grey()
	var across [hashSide][maxSide]float64 // coefficient of each row
	for u, basis := range h.columns {
		for y := range g.height {
			sum := 0.0
			line := g.pix[y*g.width:]
			for x, c := range basis {
				sum += c * float64(line[x])
			}
			across[u][y] = sum
		}
	}
	var out uint64
	for v, basis := range h.rows {
		for u := range h.columns {
			sum := 0.0
			for y, c := range basis {
				sum += c * across[u][y]
			}
			if u == 0 && v == 0 {
				sum -= 127.5 * math.Sqrt(float64(g.height*g.width))
			}
			if sum > flat {
				out |= 1 << (hashSide*v + u)
			}
		}
	}
	return out
}

// A filter is a Bloom filter of 64-bit hashes: it knows every hash that was added, and takes a stranger for known with
// probability 0.0005 at 16 bits a hash. It is empty or a multiple of 8 bytes.
type filter []byte

const (
	bitsPerHash = 16
	probes      = 11 // 16 ln 2, where the false positives are fewest: (1 - exp(-11/16))^11 = 0.00046
	maxHashes   = maxKnown * 8 / bitsPerHash
)

func newFilter(hashes int) filter {
	return make(filter, (hashes*bitsPerHash+63)/64*8)
}

// each calls f with the word and the bit of every probe until it returns false. The positions are those of double
// hashing by two independent mixes of the hash.
func (b filter) each(hash uint64, f func(word []byte, bit uint64) bool) {
	bits := uint64(len(b)) * 8
	at, step := mix(hash), mix(hash^0x9e3779b97f4a7c15)|1
	for range probes {
		i := at % bits
		if !f(b[i/64*8:], 1<<(i%64)) {
			return
		}
		at += step
	}
}

func (b filter) add(hash uint64) {
	b.each(hash, func(word []byte, bit uint64) bool {
		binary.LittleEndian.PutUint64(word, binary.LittleEndian.Uint64(word)|bit)
		return true
	})
}

func (b filter) has(hash uint64) bool {
	if len(b) == 0 {
		return false
	}
	found := true
	b.each(hash, func(word []byte, bit uint64) bool {
		found = binary.LittleEndian.Uint64(word)&bit != 0
		return found
	})
	return found
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
