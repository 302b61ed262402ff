package images

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"

	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Row = (*row)(nil)

// A row is one decoded sample and what the gates need to know of it.
type row struct {
	picture
	stats     stats
	finite    bool    // all values of the sample
	outside   float64 // share of them beyond inRange
	copied    bool    // the perceptual hash is that of a training picture
	png       []byte
	jpegBytes int

	margin, entropy float32
	verdict         validate.Verdict
}

func (r *row) Verdict() validate.Verdict             { return r.verdict }
func (r *row) Confidence() (margin, entropy float32) { return r.margin, r.entropy }

// Key is the SHA-256 of the shape and the pixels.
func (r *row) Key() string { return r.key() }

// Append fills the columns of fields.
func (r *row) Append(b []array.Builder) {
	im := b[0].(*array.StructBuilder)
	im.Append(true)
	im.FieldBuilder(0).(*array.BinaryBuilder).Append(r.png)
	im.FieldBuilder(1).AppendNull()
	b[1].(*array.Int32Builder).Append(int32(r.height))
	b[2].(*array.Int32Builder).Append(int32(r.width))
	b[3].(*array.Int8Builder).Append(int8(r.channels))
	for i, v := range []float64{r.stats.mean, r.stats.std, r.stats.min, r.stats.max, r.stats.saturated, r.stats.entropy, r.stats.tv} {
		b[4+i].(*array.Float32Builder).Append(float32(v))
	}
	b[11].(*array.Int32Builder).Append(int32(r.jpegBytes))
}

// image is the picture as the standard library has it.
func (p picture) image() image.Image {
	bounds := image.Rect(0, 0, p.width, p.height)
	if p.channels == 1 {
		return &image.Gray{Pix: p.pix, Stride: p.width, Rect: bounds}
	}
	im, n := image.NewRGBA(bounds), p.height*p.width
	for i := range n {
		to := im.Pix[4*i:][:4]
		to[0], to[1], to[2], to[3] = p.pix[i], p.pix[n+i], p.pix[2*n+i], 255
	}
	return im
}

// An encoder keeps the buffers of the PNG and JPEG writers. It is not safe for concurrent use.
type encoder struct {
	buffer bytes.Buffer
	png    *png.EncoderBuffer
}

// Get and Put implement png.EncoderBufferPool.
func (e *encoder) Get() *png.EncoderBuffer  { return e.png }
func (e *encoder) Put(b *png.EncoderBuffer) { e.png = b }

// encode returns the picture as PNG, and how many bytes it has as JPEG.
func (e *encoder) encode(p picture) (asPNG []byte, jpegBytes int) {
	im := p.image()
	e.buffer.Reset()
	enc := png.Encoder{BufferPool: e}
	if err := enc.Encode(&e.buffer, im); err != nil {
		panic("images: PNG: " + err.Error()) // memory does not fail and the sides are in bounds
	}
	asPNG = bytes.Clone(e.buffer.Bytes())
	e.buffer.Reset()
	if err := jpeg.Encode(&e.buffer, im, &jpeg.Options{Quality: 75}); err != nil {
		panic("images: JPEG: " + err.Error())
	}
	return asPNG, e.buffer.Len()
}
