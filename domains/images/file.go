package images

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
)

// Bounds on one picture file.
const (
	maxFile   = 256 << 20 // bytes
	maxPixels = 1 << 24   // 4096 x 4096
)

const (
	pngMagic  = "\x89PNG\r\n\x1a\n"
	jpegMagic = "\xff\xd8\xff"
)

// isPicture says whether a file that begins so is PNG or JPEG.
func isPicture(head []byte) bool {
	return bytes.HasPrefix(head, []byte(pngMagic)) || bytes.HasPrefix(head, []byte(jpegMagic))
}

// readPicture decodes a PNG or JPEG file.
func readPicture(r io.Reader) (picture, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return picture{}, err
	}
	if len(b) > maxFile {
		return picture{}, fmt.Errorf("a picture file of over %d bytes", maxFile)
	}
	return decodePicture(b)
}

// decodePicture decodes a PNG or JPEG file. Sixteen bits are cut to the upper eight, transparent parts show white, and
// an orientation that a camera noted is not followed. A picture without colour becomes grey.
func decodePicture(b []byte) (picture, error) {
	decode, configure := png.Decode, png.DecodeConfig
	switch {
	case len(b) == 0:
		return picture{}, errors.New("no bytes")
	case bytes.HasPrefix(b, []byte(jpegMagic)):
		decode, configure = jpeg.Decode, jpeg.DecodeConfig
	case !bytes.HasPrefix(b, []byte(pngMagic)):
		return picture{}, fmt.Errorf("neither PNG nor JPEG: it begins with %.16q", b)
	}
	c, err := configure(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	// DEFLATE (RFC 1951) expands at most 1,032 times, and no pixel of a PNG takes less than a bit; a JPEG spends at least
	// two bits on a block of 64 pixels, but for progressive ones. Beyond that, the header lies about the size, and
	// decoding would only reserve memory for it.
	if pixels := int64(c.Width) * int64(c.Height); c.Width < 1 || c.Height < 1 || pixels > maxPixels || pixels > 8*1032*int64(len(b)) {
		return picture{}, fmt.Errorf("%d x %d pixels in %d bytes: want at most %d pixels, and as many as the bytes can hold",
			c.Width, c.Height, len(b), maxPixels)
	}
	im, err := decode(bytes.NewReader(b))
	if err != nil {
		return picture{}, err
	}
	return fromImage(im), nil
}

func fromImage(im image.Image) picture {
	bounds := im.Bounds()
	p := picture{bounds.Dy(), bounds.Dx(), 1, nil}
	n := p.height * p.width
	if g, ok := im.(*image.Gray); ok {
		p.pix = make([]byte, 0, n)
		for y := range p.height {
			p.pix = append(p.pix, g.Pix[y*g.Stride:][:p.width]...)
		}
		return p
	}
	flat := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	draw.Draw(flat, flat.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, im, bounds.Min, draw.Over)
	p.channels, p.pix = 3, make([]byte, 3*n)
	for i := range n {
		p.pix[i], p.pix[n+i], p.pix[2*n+i] = flat.Pix[4*i], flat.Pix[4*i+1], flat.Pix[4*i+2]
	}
	if p.isGrey() {
		p.channels, p.pix = 1, p.pix[:n:n]
	}
	return p
}
