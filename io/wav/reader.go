package wav

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Bounds on what is read.
const (
	MaxChannels = 64
	MaxRate     = 768_000 // Hz
	// MaxSamples is the number of samples, over all channels, that Read takes when its limit is zero: 6 minutes at
	// 48 kHz.
	MaxSamples = 1 << 24
)

// Codes of the sample formats (mmreg.h).
const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xfffe
)

// subformatTail is what follows the format code in the GUID of an extensible format (ksmedia.h).
const subformatTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// ErrTooLong is wrapped by the error for a file with more samples than the limit.
var ErrTooLong = errors.New("too many samples")

// A Sound is decoded audio.
type Sound struct {
	Rate     int // samples a second of one channel
	Channels int
	// Samples has the channels interleaved; full scale is 1. Floats of the file may be larger, infinite or NaN.
	Samples []float64
}

// Frames is the number of samples of one channel.
func (s Sound) Frames() int { return len(s.Samples) / s.Channels }

// Mono is the mean of the channels, one value for each frame. For one channel it is Samples itself.
func (s Sound) Mono() []float64 {
	if s.Channels == 1 {
		return s.Samples
	}
	out := make([]float64, s.Frames())
	for i := range out {
		for _, v := range s.Samples[i*s.Channels : (i+1)*s.Channels] {
			out[i] += v
		}
		out[i] /= float64(s.Channels)
	}
	return out
}

// Read decodes the file, of which errors speak as name. More than limit samples over all channels are an error;
// zero means MaxSamples. Memory grows with what is really there, not with what the header claims.
func Read(r io.Reader, name string, limit int) (Sound, error) {
	if limit <= 0 {
		limit = MaxSamples
	}
	d := &decoder{r: bufio.NewReader(r), limit: limit}
	s, err := d.file()
	if err != nil {
		return Sound{}, fmt.Errorf("wav: %s: %w", name, err)
	}
	return s, nil
}

type decoder struct {
	r     *bufio.Reader
	at    int64 // offset of the next byte
	limit int
}

// A format is what the "fmt " chunk says.
type format struct {
	float    bool
	bits     int // of one sample's container
	channels int
	rate     int
}

func (d *decoder) file() (Sound, error) {
	head := make([]byte, 12)
	if err := d.full(head, "the RIFF header"); err != nil {
		return Sound{}, err
	}
	switch form := string(head[:4]); {
	case form == "RIFX" || form == "RF64" || form == "BW64" || form == "riff":
		return Sound{}, fmt.Errorf("offset 0: form %q is not supported, only RIFF", form)
	case form != "RIFF":
		return Sound{}, fmt.Errorf("offset 0: it begins with %q, not with RIFF", form)
	case string(head[8:12]) != "WAVE":
		return Sound{}, fmt.Errorf("offset 8: RIFF of type %q, want WAVE", head[8:12])
	}
	var f *format
	for {
		at := d.at
		chunk := make([]byte, 8)
		if err := d.full(chunk, "the header of a chunk"); err != nil {
			if errors.Is(err, io.EOF) && f == nil {
				return Sound{}, fmt.Errorf("offset %d: the file ends without a \"fmt \" chunk", at)
			} else if errors.Is(err, io.EOF) {
				return Sound{}, fmt.Errorf("offset %d: the file ends without a \"data\" chunk", at)
			}
			return Sound{}, err
		}
		id, size := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch {
		case id == "fmt " && f != nil:
			return Sound{}, fmt.Errorf("offset %d: a second \"fmt \" chunk", at)
		case id == "fmt ":
			parsed, err := d.format(size)
			if err != nil {
				return Sound{}, err
			}
			f = &parsed
		case id == "data" && f == nil:
			return Sound{}, fmt.Errorf("offset %d: the \"data\" chunk comes before the \"fmt \" chunk", at)
		case id == "data":
			return d.data(*f, size)
		default:
			if err := d.skip(size, id); err != nil {
				return Sound{}, err
			}
		}
		if size%2 == 1 { // chunks are padded to even length; a missing pad at the end of the file is common
			if err := d.skip(1, id); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				return Sound{}, err
			}
		}
	}
}

// full reads all of p. At the very end of the file the error wraps io.EOF.
func (d *decoder) full(p []byte, what string) error {
	n, err := io.ReadFull(d.r, p)
	at := d.at
	d.at += int64(n)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		return fmt.Errorf("offset %d: the file ends in %s, after %d of %d bytes: %w", at, what, n, len(p), err)
	}
	if err != nil {
		return fmt.Errorf("offset %d: %w", at, err)
	}
	return nil
}

func (d *decoder) skip(n int64, id string) error {
	at := d.at
	skipped, err := io.CopyN(io.Discard, d.r, n)
	d.at += skipped
	if err == io.EOF {
		return fmt.Errorf("offset %d: the file ends in chunk %q, after %d of %d bytes: %w", at, id, skipped, n, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("offset %d: %w", d.at, err)
	}
	return nil
}

func (d *decoder) format(size int64) (format, error) {
	at := d.at
	if size < 16 || size > 1<<16 {
		return format{}, fmt.Errorf("offset %d: a \"fmt \" chunk of %d bytes, want 16, 18 or 40", at-4, size)
	}
	b := make([]byte, size)
	if err := d.full(b, "the \"fmt \" chunk"); err != nil {
		return format{}, err
	}
	code := int(binary.LittleEndian.Uint16(b))
	channels := int(binary.LittleEndian.Uint16(b[2:]))
	rate := binary.LittleEndian.Uint32(b[4:])
	align := int(binary.LittleEndian.Uint16(b[12:]))
	bits := int(binary.LittleEndian.Uint16(b[14:]))
	if code == formatExtensible {
		if size < 40 {
			return format{}, fmt.Errorf("offset %d: an extensible format in a chunk of %d bytes, want 40", at, size)
		}
		if string(b[26:40]) != subformatTail {
			return format{}, fmt.Errorf("offset %d: subformat %x is not one of PCM and IEEE float", at+24, b[24:40])
		}
		code = int(binary.LittleEndian.Uint16(b[24:]))
	}
	switch {
	case code != formatPCM && code != formatFloat:
		return format{}, fmt.Errorf("offset %d: sample format %d (%s) is not supported, only PCM (1) and IEEE float (3)", at, code, formatName(code))
	case channels < 1 || channels > MaxChannels:
		return format{}, fmt.Errorf("offset %d: %d channels, want 1 to %d", at+2, channels, MaxChannels)
	case rate < 1 || rate > MaxRate:
		return format{}, fmt.Errorf("offset %d: sampling rate %d Hz, want 1 to %d", at+4, rate, MaxRate)
	case code == formatPCM && bits != 8 && bits != 16 && bits != 24 && bits != 32:
		return format{}, fmt.Errorf("offset %d: PCM with %d bits, want 8, 16, 24 or 32", at+14, bits)
	case code == formatFloat && bits != 32 && bits != 64:
		return format{}, fmt.Errorf("offset %d: float with %d bits, want 32 or 64", at+14, bits)
	case align != channels*bits/8:
		return format{}, fmt.Errorf("offset %d: blocks of %d bytes, but %d channels of %d bits make %d", at+12, align, channels, bits, channels*bits/8)
	}
	return format{float: code == formatFloat, bits: bits, channels: channels, rate: int(rate)}, nil
}

func formatName(code int) string {
	switch code {
	case 2, 0x11:
		return "ADPCM"
	case 6:
		return "A-law"
	case 7:
		return "mu-law"
	case 0x55:
		return "MP3"
	}
	return "unknown"
}

// data reads the samples. A chunk of unknown size (0xFFFFFFFF) goes to the end of the file, where a last frame that
// is cut off is dropped.
func (d *decoder) data(f format, size int64) (Sound, error) {
	open := size == math.MaxUint32
	width := f.bits / 8
	block := width * f.channels
	if !open && size%int64(block) != 0 {
		return Sound{}, fmt.Errorf("offset %d: %d bytes of data, want a multiple of the %d bytes of a frame", d.at-4, size, block)
	}
	if !open && size/int64(width) > int64(d.limit) {
		return Sound{}, fmt.Errorf("offset %d: %d samples, at most %d are taken: %w", d.at-4, size/int64(width), d.limit, ErrTooLong)
	}
	s := Sound{Rate: f.rate, Channels: f.channels}
	buffer := make([]byte, block*max(1, 4096/block))
	for left := size; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		at := d.at
		n, err := io.ReadFull(d.r, part)
		d.at += int64(n)
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		switch {
		case ended && open:
			part, left = part[:n/block*block], 0
		case ended:
			return Sound{}, fmt.Errorf("offset %d: the file ends in the data, after %d of %d bytes: %w", at, size-left+int64(n), size, io.ErrUnexpectedEOF)
		case err != nil:
			return Sound{}, fmt.Errorf("offset %d: %w", d.at, err)
		case !open:
			left -= int64(n)
		}
		if len(s.Samples)+len(part)/width > d.limit {
			return Sound{}, fmt.Errorf("offset %d: over %d samples: %w", at, d.limit, ErrTooLong)
		}
		for i := 0; i < len(part); i += width {
			s.Samples = append(s.Samples, f.sample(part[i:]))
		}
	}
	return s, nil
}

// sample decodes the first sample of b.
func (f format) sample(b []byte) float64 {
	switch {
	case f.float && f.bits == 32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case f.float:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case f.bits == 8:
		return float64(int(b[0])-128) / (1 << 7)
	case f.bits == 16:
		return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case f.bits == 24:
		return float64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)>>8) / (1 << 23)
	default:
		return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
	}
}
