package wav

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// An Encoding is how a sample is written.
type Encoding int

// The encodings that Write knows.
const (
	PCM16   Encoding = iota // rounded to nearest and limited to full scale
	Float32                 // as it is, rounded to float32
)

// Write writes a file with the header of 44 bytes that every reader takes. NaN is written as 0 in PCM16.
func Write(w io.Writer, s Sound, e Encoding) error {
	if e != PCM16 && e != Float32 {
		return fmt.Errorf("wav: no encoding %d", e)
	}
	code, width := formatPCM, 2
	if e == Float32 {
		code, width = formatFloat, 4
	}
	size := int64(len(s.Samples)) * int64(width)
	switch {
	case s.Channels < 1 || s.Channels > MaxChannels || len(s.Samples)%s.Channels != 0:
		return fmt.Errorf("wav: %d samples in %d channels, want whole frames of 1 to %d channels", len(s.Samples), s.Channels, MaxChannels)
	case s.Rate < 1 || s.Rate > MaxRate:
		return fmt.Errorf("wav: sampling rate %d Hz, want 1 to %d", s.Rate, MaxRate)
	case size > math.MaxUint32-64:
		return fmt.Errorf("wav: %d bytes of samples do not fit into a RIFF file", size)
	}
	le := binary.LittleEndian
	b := make([]byte, 0, 44+size)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(36+size))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, uint16(code))
	b = le.AppendUint16(b, uint16(s.Channels))
	b = le.AppendUint32(b, uint32(s.Rate))
	b = le.AppendUint32(b, uint32(s.Rate*s.Channels*width))
	b = le.AppendUint16(b, uint16(s.Channels*width))
	b = le.AppendUint16(b, uint16(8*width))
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(size))
	for _, v := range s.Samples {
		if e == Float32 {
			b = le.AppendUint32(b, math.Float32bits(float32(v)))
		} else {
			b = le.AppendUint16(b, uint16(ToPCM16(v)))
		}
	}
	_, err := w.Write(b)
	return err
}

// ToPCM16 is a sample as 16-bit PCM: rounded to nearest, halves to even, limited, NaN as 0.
func ToPCM16(v float64) int16 {
	switch v = math.RoundToEven(v * (1 << 15)); {
	case v >= math.MaxInt16:
		return math.MaxInt16
	case v <= math.MinInt16:
		return math.MinInt16
	case v != v:
		return 0
	}
	return int16(v)
}
