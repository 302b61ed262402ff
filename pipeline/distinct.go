package pipeline

// maxDistinct bounds the rows among which distinct ones are counted, and with them the memory: about 1 GB.
const maxDistinct = 50_000_000

// distinct counts different keys among the first maxDistinct rows. Keys have 64 bits, so among 50 million different rows
// two share one with a probability of 7e-5.
type distinct struct {
	seen map[uint64]struct{}
	of   int64 // rows looked at
}

func newDistinct() distinct { return distinct{seen: make(map[uint64]struct{})} }

func (d *distinct) add(key uint64) {
	if d.of >= maxDistinct {
		return
	}
	d.of++
	d.seen[key] = struct{}{}
}
