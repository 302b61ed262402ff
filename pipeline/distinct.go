package pipeline

// maxDistinct bounds the samples among whose rows distinct ones are counted, and with them the memory: about 1 GB.
const maxDistinct = 50_000_000

// Distinct counts different keys. The zero value has seen none. It takes about 20 bytes for each.
type Distinct struct {
	seen map[uint64]struct{}
	of   int64
}

// Add looks at the keys of an Outcome.
func (d *Distinct) Add(keys []uint64) {
	if d.seen == nil {
		d.seen = make(map[uint64]struct{}, len(keys))
	}
	for _, k := range keys {
		d.seen[k] = struct{}{}
	}
	d.of += int64(len(keys))
}

// Count is the number of different keys among all that were added.
func (d *Distinct) Count() (distinct, of int64) { return int64(len(d.seen)), d.of }
