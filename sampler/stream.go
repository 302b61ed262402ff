package sampler

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// MaxIndex is the largest sample index that a Stream can be made for.
const MaxIndex = 1<<48 - 1

// Purposes of streams. Those below 256 belong to this package; other users of the same seed, such as training, take 256
// and above.
const (
	PurposePrior uint16 = iota // the start of a sample
	PurposeMask                // which coordinates a sample has
	PurposeLabel               // the class of a sample, when it is drawn; attempt 0, so that drawing again keeps it
)

// A Stream is a sequence of random numbers that is fixed by four numbers: the seed, an index (of the sample), an attempt
// and a purpose. Different quadruples give statistically independent streams. It is Philox4x32-10 with the seed as key
// and the counter, low word first,
//
//	block (32 bits) | attempt (32) | purpose (16), low 16 bits of index | high 32 bits of index
//
// so no two streams of a seed ever meet. A Stream is not safe for concurrent use. It is a math/rand/v2.Source.
type Stream struct {
	key     [2]uint32
	counter [4]uint32
	words   [2]uint64 // the current block
	left    int       // how many of words are still unused
	spent   bool      // all blocks have been used
	normal  float64   // second half of the last Box-Muller pair
	paired  bool      // normal is unused
}

var _ rand.Source = (*Stream)(nil)

// NewStream returns the stream of (seed, index, attempt, purpose) at its start. The index must be in 0..MaxIndex;
// NewStream panics otherwise.
func NewStream(seed uint64, index int64, attempt int32, purpose uint16) *Stream {
	if index < 0 || index > MaxIndex {
		panic(fmt.Sprintf("sampler: stream index %d is outside 0..%d", index, int64(MaxIndex)))
	}
	return &Stream{
		key:     [2]uint32{uint32(seed), uint32(seed >> 32)},
		counter: [4]uint32{0, uint32(attempt), uint32(purpose) | uint32(index)<<16, uint32(index >> 16)},
	}
}

// Uint64 returns the next 64 random bits. A stream holds 2^33 of them; Uint64 panics rather than repeat itself.
func (s *Stream) Uint64() uint64 {
	if s.left == 0 {
		s.nextBlock()
	}
	w := s.words[len(s.words)-s.left]
	s.left--
	return w
}

func (s *Stream) nextBlock() {
	if s.spent {
		panic("sampler: stream is used up after 2^33 words")
	}
	b := philox4x32(s.counter, s.key)
	s.words = [2]uint64{uint64(b[0]) | uint64(b[1])<<32, uint64(b[2]) | uint64(b[3])<<32}
	s.left = len(s.words)
	s.counter[0]++
	s.spent = s.counter[0] == 0
}

// Float64 returns a uniform number in the open interval (0, 1): one of the 2^52 midpoints (k+1/2)*2^-52. It uses one
// word.
func (s *Stream) Float64() float64 { return uniform(s.Uint64()) }

func uniform(word uint64) float64 {
	// 52 bits, not 53: with 53 the largest midpoint would round to 1.
	return (float64(word>>12) + 0.5) * 0x1p-52
}

// NormFloat64 returns a standard normal number by Box-Muller: two words for each two numbers, never a rejection, so the
// number of words is fixed. |value| is below 8.58.
func (s *Stream) NormFloat64() float64 {
	if s.paired {
		s.paired = false
		return s.normal
	}
	w0 := s.Uint64()
	a, b := boxMuller(w0, s.Uint64())
	s.normal, s.paired = b, true
	return a
}

// fillNormal sets dst to the numbers that len(dst) calls of NormFloat64 would give.
func (s *Stream) fillNormal(dst []float64) {
	if s.paired && len(dst) > 0 {
		dst[0] = s.NormFloat64()
		dst = dst[1:]
	}
	for len(dst) >= 2 {
		w0 := s.Uint64()
		dst[0], dst[1] = boxMuller(w0, s.Uint64())
		dst = dst[2:]
	}
	if len(dst) == 1 {
		dst[0] = s.NormFloat64()
	}
}

// boxMuller makes two independent normal numbers of two words.
func boxMuller(w0, w1 uint64) (a, b float64) {
	r := math.Sqrt(-2 * math.Log(uniform(w0)))
	sin, cos := math.Sincos(2 * math.Pi * uniform(w1))
	return r * cos, r * sin
}
