package sampler

import "testing"

// The known answers of the Random123 distribution (kat_vectors, philox 4x32 with 10 rounds).
func TestPhiloxKnownAnswers(t *testing.T) {
	const ones = 0xffffffff
	for _, tc := range []struct {
		name         string
		counter, out [4]uint32
		key          [2]uint32
	}{
		{"zero", [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, [2]uint32{}},
		{"ones", [4]uint32{ones, ones, ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, [2]uint32{ones, ones}},
		{"pi", [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
			[2]uint32{0xa4093822, 0x299f31d0}},
	} {
		if got := philox4x32(tc.counter, tc.key); got != tc.out {
			t.Errorf("%s: %08x, want %08x", tc.name, got, tc.out)
		}
	}
}

// A stream stops rather than start over once its 32-bit block number is used up.
func TestStreamEnds(t *testing.T) {
	s := NewStream(1, 2, 3, 4)
	s.counter[0] = 1<<32 - 1
	s.Uint64()
	s.Uint64()
	defer func() {
		if recover() == nil {
			t.Error("the stream went on after its last block")
		}
	}()
	s.Uint64()
}

// Filling gives the numbers of single calls, wherever in a pair or block it starts and ends.
func TestFillNormal(t *testing.T) {
	one, many := NewStream(5, 6, 0, 0), NewStream(5, 6, 0, 0)
	for k, n := range []int{1, 0, 1, 2, 3, 8, 5, 5, 0, 100} {
		if k == 4 { // leave the block half used
			one.Uint64()
			many.Uint64()
		}
		dst := make([]float64, n)
		many.fillNormal(dst)
		for i, v := range dst {
			if want := one.NormFloat64(); v != want {
				t.Fatalf("fill %d: number %d is %v, want %v", k, i, v, want)
			}
		}
	}
}

func BenchmarkPhilox(b *testing.B) {
	b.SetBytes(16)
	var c [4]uint32
	for b.Loop() {
		c = philox4x32(c, [2]uint32{1, 2})
	}
}
