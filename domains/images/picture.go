package images

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Bounds on the sides of a picture of a model, in pixels. Larger pictures belong into a latent space, which is another
// model's work.
const (
	minSide = 4
	maxSide = 256
)

// A picture is 8-bit values, channel by channel, row by row from the top left.
type picture struct {
	height, width, channels int // channels is 1 or 3 (RGB)
	pix                     []byte
}

// content is the shape and the values.
func (p picture) content() []byte {
	out := make([]byte, 12, 12+len(p.pix))
	binary.LittleEndian.PutUint32(out, uint32(p.channels))
	binary.LittleEndian.PutUint32(out[4:], uint32(p.height))
	binary.LittleEndian.PutUint32(out[8:], uint32(p.width))
	return append(out, p.pix...)
}

func (p picture) sum() [sha256.Size]byte { return sha256.Sum256(p.content()) }

// key is the SHA-256 of the shape and the values, in hex.
func (p picture) key() string {
	sum := p.sum()
	return hex.EncodeToString(sum[:])
}

// planar turns values that are interleaved pixel by pixel into channels.
func planar(interleaved []byte, height, width, channels int) picture {
	p := picture{height, width, channels, interleaved}
	if channels == 1 {
		return p
	}
	p.pix = make([]byte, len(interleaved))
	for c := range channels {
		plane := p.pix[c*height*width : (c+1)*height*width]
		for i := range plane {
			plane[i] = interleaved[i*channels+c]
		}
	}
	return p
}

// isGrey says whether all channels are equal.
func (p picture) isGrey() bool {
	if p.channels == 1 {
		return true
	}
	n := p.height * p.width
	r, g, b := p.pix[:n], p.pix[n:2*n], p.pix[2*n:]
	for i := range r {
		if r[i] != g[i] || g[i] != b[i] {
			return false
		}
	}
	return true
}

// grey is the ITU-R 601 luma, rounded to the nearest level; a grey picture is itself.
func (p picture) grey() picture {
	if p.channels == 1 {
		return p
	}
	n := p.height * p.width
	out := picture{p.height, p.width, 1, make([]byte, n)}
	for i := range n {
		out.pix[i] = byte((299*int(p.pix[i]) + 587*int(p.pix[n+i]) + 114*int(p.pix[2*n+i]) + 500) / 1000)
	}
	return out
}

// rgb repeats a grey channel.
func (p picture) rgb() picture {
	if p.channels == 3 {
		return p
	}
	out := picture{p.height, p.width, 3, make([]byte, 0, 3*len(p.pix))}
	for range 3 {
		out.pix = append(out.pix, p.pix...)
	}
	return out
}
