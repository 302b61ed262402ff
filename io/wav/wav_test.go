package wav

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// chunk is a RIFF chunk with its pad byte.
func chunk(id, body string) string {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return string(b)
}

func riff(chunks ...string) string {
	return chunk("RIFF", "WAVE"+strings.Join(chunks, ""))
}

// fmtChunk is the plain form of 16 bytes, and the extensible one of 40 for code 0xfffe, around sub.
func fmtChunk(code, channels, rate, bits, sub int) string {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, uint16(code))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	b = le.AppendUint16(b, uint16(bits))
	if code == formatExtensible {
		b = le.AppendUint16(b, 22)
		b = le.AppendUint16(b, uint16(bits))
		b = le.AppendUint32(b, 3)
		b = le.AppendUint16(b, uint16(sub))
		b = append(b, subformatTail...)
	}
	return chunk("fmt ", string(b))
}

func TestReadEncodings(t *testing.T) {
	le := binary.LittleEndian
	f32 := func(v ...float32) (out string) {
		for _, x := range v {
			out += string(le.AppendUint32(nil, math.Float32bits(x)))
		}
		return out
	}
	f64 := string(le.AppendUint64(le.AppendUint64(nil, math.Float64bits(0.1)), math.Float64bits(-1e9)))
	for _, tc := range []struct {
		name, in       string
		rate, channels int
		want           []float64
	}{
		{"8 bits, unsigned", riff(fmtChunk(1, 1, 8000, 8, 0), chunk("data", "\x00\x80\xff")), 8000, 1, []float64{-1, 0, 127.0 / 128}},
		{"16 bits", riff(fmtChunk(1, 1, 8000, 16, 0), chunk("data", "\x00\x80\xff\x7f\x01\x00")), 8000, 1, []float64{-1, 32767.0 / 32768, 1.0 / 32768}},
		{"24 bits", riff(fmtChunk(1, 1, 96000, 24, 0), chunk("data", "\x00\x00\x80\xff\xff\x7f\xff\xff\xff")), 96000, 1, []float64{-1, 8388607.0 / 8388608, -1.0 / 8388608}},
		{"32 bits", riff(fmtChunk(1, 1, 8000, 32, 0), chunk("data", "\x00\x00\x00\x80\x00\x00\x00\x40")), 8000, 1, []float64{-1, 0.5}},
		{"float", riff(fmtChunk(3, 2, 44100, 32, 0), chunk("data", f32(0.25, -2))), 44100, 2, []float64{0.25, -2}},
		{"double", riff(fmtChunk(3, 1, 44100, 64, 0), chunk("data", f64)), 44100, 1, []float64{0.1, -1e9}},
		{"extensible PCM", riff(fmtChunk(0xfffe, 2, 48000, 16, 1), chunk("data", "\x00\x40\x00\xc0")), 48000, 2, []float64{0.5, -0.5}},
		{"extensible float", riff(fmtChunk(0xfffe, 1, 48000, 32, 3), chunk("data", f32(0.5))), 48000, 1, []float64{0.5}},
		{"chunks of odd size, before, between and after", riff(chunk("LIST", "abc"), fmtChunk(1, 1, 8000, 16, 0), chunk("fact", "x"),
			chunk("data", "\x00\x40"), chunk("id3 ", "zz")), 8000, 1, []float64{0.5}},
		{"no samples", riff(fmtChunk(1, 1, 8000, 16, 0), chunk("data", "")), 8000, 1, nil},
		{"to the end of a pipe", "RIFF\xff\xff\xff\xffWAVE" + fmtChunk(1, 1, 8000, 16, 0) + "data\xff\xff\xff\xff\x00\x40\x00\xc0\x77", 8000, 1, []float64{0.5, -0.5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := Read(strings.NewReader(tc.in), "x.wav", 0)
			if err != nil || s.Rate != tc.rate || s.Channels != tc.channels || !slices.Equal(s.Samples, tc.want) {
				t.Errorf("%+v, %v; want %v", s, err, tc.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	good := riff(fmtChunk(1, 1, 8000, 16, 0), chunk("data", "\x00\x40\x00\xc0"))
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", []string{"offset 0", "after 0 of 12 bytes"}},
		{"text", "name,label,other\n", []string{"offset 0", `"name"`, "RIFF"}},
		{"big endian", "RIFX" + good[4:], []string{"offset 0", "RIFX"}},
		{"64-bit form", "RF64" + good[4:], []string{"RF64"}},
		{"another RIFF", "RIFF\x04\x00\x00\x00AVI ", []string{"offset 8", `"AVI "`}},
		{"nothing in it", riff(), []string{"offset 12", `"fmt "`}},
		{"no data", riff(fmtChunk(1, 1, 8000, 16, 0)), []string{"offset 36", `"data"`}},
		{"data first", riff(chunk("data", "ab"), fmtChunk(1, 1, 8000, 16, 0)), []string{"offset 12", "before"}},
		{"two formats", riff(fmtChunk(1, 1, 8000, 16, 0), fmtChunk(1, 1, 8000, 16, 0)), []string{"offset 36", "second"}},
		{"short format", riff(chunk("fmt ", "abcd")), []string{"offset 16", "4 bytes"}},
		{"huge format", "RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\x7f", []string{"offset 16", "2147483647 bytes"}},
		{"A-law", riff(fmtChunk(6, 1, 8000, 8, 0)), []string{"offset 20", "format 6 (A-law)"}},
		{"MP3", riff(fmtChunk(0x55, 1, 8000, 8, 0)), []string{"(MP3)"}},
		{"12 bits", riff(fmtChunk(1, 1, 8000, 12, 0)), []string{"offset 34", "12 bits"}},
		{"half floats", riff(fmtChunk(3, 1, 8000, 16, 0)), []string{"offset 34", "float with 16 bits"}},
		{"no channel", riff(fmtChunk(1, 0, 8000, 16, 0)), []string{"offset 22", "0 channels"}},
		{"no rate", riff(fmtChunk(1, 1, 0, 16, 0)), []string{"offset 24", "0 Hz"}},
		{"extensible but short", riff(chunk("fmt ", fmtChunk(0xfffe, 1, 8000, 16, 1)[8:26])), []string{"extensible", "18 bytes"}},
		{"extensible ambisonic", riff(strings.Replace(fmtChunk(0xfffe, 1, 8000, 16, 1), subformatTail, "\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00\x00\x00", 1)), []string{"offset 44", "subformat"}},
		{"wrong blocks", riff(strings.Replace(fmtChunk(1, 2, 8000, 16, 0), "\x04\x00\x10\x00", "\x02\x00\x10\x00", 1)), []string{"offset 32", "blocks of 2 bytes"}},
		{"half a frame", riff(fmtChunk(1, 2, 8000, 16, 0), chunk("data", "abcdef")), []string{"offset 40", "6 bytes", "multiple of the 4"}},
		{"cut in the data", good[:len(good)-1], []string{"offset 44", "after 3 of 4 bytes"}},
		{"cut in a chunk", riff(chunk("LIST", "abcdefgh"))[:23], []string{"LIST", "after 3 of 8"}},
		{"cut in a header", good[:38], []string{"offset 36", "after 2 of 8"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tc.in), "x.wav", 0)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tc.want, "wav: x.wav: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

// endless is a reader of zeros.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLimit(t *testing.T) {
	head := "RIFF\xff\xff\xff\xffWAVE" + fmtChunk(1, 1, 8000, 16, 0)
	_, err := Read(io.MultiReader(strings.NewReader(head+"data\xff\xff\xff\xff"), endless{}), "x", 100000)
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("an endless file: %v", err)
	}
	_, err = Read(strings.NewReader(head+"data\x00\x00\x00\x80"), "x", 0)
	if !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "1073741824 samples") {
		t.Errorf("a header that claims 2 GiB: %v", err)
	}
	// The claim of 30 MB alone must not take them.
	if n := testing.AllocsPerRun(1, func() { Read(strings.NewReader(head+"data\x00\x00\xc9\x01"), "x", 0) }); n > 30 {
		t.Errorf("%v allocations for a file without samples", n)
	}
}

func TestMono(t *testing.T) {
	s := Sound{Rate: 1, Channels: 2, Samples: []float64{1, 0, -1, 0.5}}
	if got := s.Mono(); !slices.Equal(got, []float64{0.5, -0.25}) || s.Frames() != 2 {
		t.Errorf("mono %v of %d frames", got, s.Frames())
	}
}

func TestWrite(t *testing.T) {
	s := Sound{Rate: 8000, Channels: 1, Samples: []float64{0, 1, -1, 2, -2, math.NaN(), 0.5 / 32768, 1.5 / 32768, 0.25}}
	var b bytes.Buffer
	if err := Write(&b, s, PCM16); err != nil {
		t.Fatal(err)
	}
	want := []float64{0, 32767, -32768, 32767, -32768, 0, 0, 2, 8192}
	back, err := Read(bytes.NewReader(b.Bytes()), "x", 0)
	if err != nil || b.Len() != 44+2*len(want) || binary.LittleEndian.Uint32(b.Bytes()[4:]) != uint32(b.Len()-8) {
		t.Fatalf("%d bytes, %v", b.Len(), err)
	}
	for i, v := range back.Samples {
		if v*32768 != want[i] {
			t.Errorf("sample %d is %v, want %v", i, v*32768, want[i])
		}
	}
	stereo := Sound{Rate: 48000, Channels: 2, Samples: []float64{0.1, -3, 1e-30, 1}}
	b.Reset()
	if err := Write(&b, stereo, Float32); err != nil {
		t.Fatal(err)
	}
	back, err = Read(&b, "x", 0)
	for i := range stereo.Samples {
		if err != nil || back.Channels != 2 || back.Samples[i] != float64(float32(stereo.Samples[i])) {
			t.Errorf("float %d: %v, %v", i, back, err)
		}
	}
	for _, bad := range []Sound{{Rate: 0, Channels: 1}, {Rate: 8000}, {Rate: 8000, Channels: 2, Samples: make([]float64, 3)}, {Rate: 8000, Channels: 65}} {
		if err := Write(io.Discard, bad, PCM16); err == nil {
			t.Errorf("%+v is written", bad)
		}
	}
	if err := Write(io.Discard, s, 7); err == nil {
		t.Error("encoding 7 is written")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(riff(fmtChunk(1, 1, 8000, 16, 0), chunk("data", "\x00\x40\x00\xc0"))))
	f.Add([]byte(riff(chunk("LIST", "abc"), fmtChunk(0xfffe, 2, 48000, 24, 1), chunk("data", "abcdef"))))
	f.Add([]byte(riff(fmtChunk(3, 1, 8000, 64, 0), chunk("data", "abcdefgh"))))
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVE" + fmtChunk(1, 1, 8000, 8, 0) + "data\xff\xff\xff\xffxyz"))
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 1 << 12
		s, err := Read(bytes.NewReader(in), "x", limit)
		if err != nil {
			return
		}
		if len(s.Samples) > limit || len(s.Samples)%s.Channels != 0 || len(s.Samples) > len(in) {
			t.Fatalf("%d samples of %d channels from %d bytes", len(s.Samples), s.Channels, len(in))
		}
		var b bytes.Buffer
		if err := Write(&b, s, PCM16); err != nil {
			t.Fatal(err)
		}
		back, err := Read(&b, "x", limit)
		if err != nil || len(back.Samples) != len(s.Samples) || back.Rate != s.Rate {
			t.Fatalf("what was written reads as %d samples, %v", len(back.Samples), err)
		}
		for i, v := range s.Samples {
			// Rounding to nearest is off by half a unit, and the highest level is one unit below full scale.
			if v > -1 && v < 1 && math.Abs(back.Samples[i]-v) > 1.0/32768 {
				t.Fatalf("sample %d: %v became %v", i, v, back.Samples[i])
			}
		}
	})
}

func ExampleWrite() {
	var b bytes.Buffer
	if err := Write(&b, Sound{Rate: 8000, Channels: 1, Samples: []float64{0, 0.5, -0.5}}, PCM16); err != nil {
		fmt.Println(err)
		return
	}
	s, err := Read(&b, "tone.wav", 0)
	fmt.Println(s.Rate, s.Channels, s.Samples, err)
	// Output: 8000 1 [0 0.5 -0.5] <nil>
}
