package images

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// opened is an adapter for pictures of one shape, with thresholds that let everything pass.
func opened(t testing.TB, shape picture, change func(*settings)) *adapter {
	t.Helper()
	s := settings{Levels: 1, Noise: maxNoise, Saturated: 1, Version: settingsVersion}
	s.setShape(shape)
	if change != nil {
		change(&s)
	}
	a, err := Domain{}.Open(s.marshal())
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter)
}

// Values from EDM's rule trunc(clip(127.5 x + 128, 0, 255)), by hand.
func TestLevel(t *testing.T) {
	for _, tc := range []struct {
		x    float64
		want byte
	}{
		{-1, 0}, {1, 255}, {0, 128}, {-1.01, 0}, {5, 255}, {-5, 0}, {math.MaxFloat64, 255}, {-math.MaxFloat64, 0},
		{math.Inf(1), 255}, {math.Inf(-1), 0}, {math.NaN(), 0}, {0.5, 191}, {-0.5, 64}, {1.0 / 128, 128}, {0.01, 129},
	} {
		if got := level(tc.x); got != tc.want {
			t.Errorf("%v is level %d, want %d", tc.x, got, tc.want)
		}
	}
	for u := range 256 {
		if got := level(levels[u]); int(got) != u {
			t.Errorf("level %d comes back as %d", u, got)
		}
		// Half a level less or more than 0.4 is the same level: float errors are far from 0.1 of a level.
		for _, d := range []float64{-0.4, 0.4} {
			if got := level(levels[u] + d/127.5); int(got) != u {
				t.Errorf("level %d, %v of a level off, comes back as %d", u, d, got)
			}
		}
	}
}

// Odd sizes are padded with their edge and cut out again.
func TestPadding(t *testing.T) {
	for _, size := range [][2]int{{4, 4}, {5, 4}, {6, 9}, {7, 10}, {9, 11}, {28, 28}, {31, 33}} {
		for _, channels := range []int{1, 3} {
			p := random(1, size[0], size[1], channels)[0]
			a := opened(t, p, nil)
			if s := a.Shape(); s[0] != channels || s[1]%4 != 0 || s[2]%4 != 0 || s[1] < size[0] || s[1] > size[0]+3 || s[2] < size[1] || s[2] > size[1]+3 {
				t.Fatalf("%v pixels in shape %v", size, s)
			}
			x := make([]float64, a.Free())
			a.encode(x, p)
			if r := a.Decode(x, -1).(*row); !bytes.Equal(r.pix, p.pix) || r.Key() != p.key() {
				t.Errorf("%v pixels, %d channels: another picture comes back", size, channels)
			}
			if corner := x[len(x)-1]; corner != levels[p.pix[len(p.pix)-1]] {
				t.Errorf("%v pixels: the last corner is %v", size, corner)
			}
		}
	}
	// By hand: one column on the left, two on the right, of 5.
	p := picture{4, 5, 1, []byte{1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3, 4, 6}}
	a := opened(t, p, nil)
	x := make([]float64, a.Free())
	a.encode(x, p)
	for i, u := range []int{1, 1, 2, 3, 4, 6, 6, 6} {
		if x[3*8+i] != levels[u] {
			t.Errorf("last row, column %d: %v, want level %d", i, x[3*8+i], u)
		}
	}
}

func TestDecided(t *testing.T) {
	for _, tc := range []struct{ v, margin, entropy float64 }{
		{levels[7], 1, 0.0043},                // p of the neighbour: 1/(1+e^8) = 3.4e-4
		{levels[7] + 0.5/127.5, 0, 1},         // between two levels
		{levels[7] + 0.25/127.5, 0.5, 0.1300}, // p = 1/(1+e^4) = 0.018
		{9, 1, 0}, {-9, 1, 0}, {math.Inf(1), 1, 0}, {math.NaN(), 0, 1},
	} {
		m, h := decided(tc.v)
		// The entropies are given to four digits; the margins are exact but for rounding at 1e-13 of a level.
		if math.Abs(m*127.5-tc.margin) > 1e-9 || math.Abs(h-tc.entropy) > 1e-4 {
			t.Errorf("%v: margin %v levels, entropy %v bits, want %v and %v", tc.v, m*127.5, h, tc.margin, tc.entropy)
		}
	}
}

// Figures by hand on a picture of 4 x 4 pixels.
func TestMeasure(t *testing.T) {
	half := picture{4, 4, 1, []byte{0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255}}
	flat := picture{4, 4, 1, bytes.Repeat([]byte{51}, 16)}
	ramp := picture{4, 4, 3, make([]byte, 48)}
	for i := range ramp.pix {
		ramp.pix[i] = byte(51 * (i % 4)) // 0, 0.2, 0.4, 0.6 across
	}
	for name, tc := range map[string]struct {
		p    picture
		want stats
	}{
		// 4 of the 24 neighbours differ, by 1.
		"half": {half, stats{mean: 0.5, std: 0.5, min: 0, max: 1, saturated: 1, entropy: 1, tv: 4.0 / 24, noise: 1.0 / 3, distinct: 2}},
		"flat": {flat, stats{mean: 0.2, std: 0, min: 0.2, max: 0.2, distinct: 1}},
		// Half of the neighbours differ, by 0.2; the deviation of 0, 1, 2, 3 is sqrt(1.25).
		"ramp": {ramp, stats{mean: 0.3, std: 0.2 * math.Sqrt(1.25), max: 0.6, saturated: 0.25, entropy: 2, tv: 0.1, noise: 0.5 / math.Sqrt(1.25), distinct: 4}},
	} {
		got := measure(tc.p)
		a := []float64{got.mean, got.std, got.min, got.max, got.saturated, got.entropy, got.tv, got.noise, float64(got.distinct)}
		b := []float64{tc.want.mean, tc.want.std, tc.want.min, tc.want.max, tc.want.saturated, tc.want.entropy, tc.want.tv, tc.want.noise, float64(tc.want.distinct)}
		for i := range a {
			// The variance is a difference of numbers near 1, good to 1e-16; its root at zero is good to 1e-8.
			if math.Abs(a[i]-b[i]) > 1e-7 {
				t.Errorf("%s: figure %d is %v, want %v", name, i, a[i], b[i])
			}
		}
	}
	// White noise: neighbours differ by 2/sqrt(pi) deviations in the mean.
	rng := rand.New(rand.NewPCG(1, 2))
	noise := picture{64, 64, 1, make([]byte, 4096)}
	for i := range noise.pix {
		noise.pix[i] = byte(128 + 20*rng.NormFloat64())
	}
	// 8,064 neighbours: the mean has a standard error of about 1.5 %; 5 % is three of them.
	if got, want := measure(noise).noise, 2/math.Sqrt(math.Pi); math.Abs(got/want-1) > 0.05 {
		t.Errorf("white noise has ratio %v, want %v", got, want)
	}
}

func TestColumns(t *testing.T) {
	p := random(1, 6, 9, 3)[0]
	a := opened(t, p, nil)
	x := make([]float64, a.Free())
	a.encode(x, p)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema(a.Fields(), nil))
	defer b.Release()
	a.Decode(x, -1).Append(b.Fields())
	rec := b.NewRecord()
	defer rec.Release()
	blob := rec.Column(0).(*array.Struct).Field(0).(*array.Binary).Value(0)
	im, err := png.Decode(bytes.NewReader(blob))
	if err != nil {
		t.Fatal(err)
	}
	if got := fromImage(im); got.key() != p.key() {
		t.Error("the PNG holds another picture")
	}
	if again := a.Decode(x, -1).(*row); !bytes.Equal(again.png, blob) {
		t.Error("the PNG differs from one decode to the next")
	}
	var j bytes.Buffer
	if err := jpeg.Encode(&j, p.image(), &jpeg.Options{Quality: 75}); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]string{1: "6", 2: "9", 3: "3", 11: fmt.Sprint(j.Len())} {
		if got := rec.Column(i).ValueStr(0); got != want {
			t.Errorf("column %s is %s, want %s", rec.ColumnName(i), got, want)
		}
	}
	m := measure(p)
	for i, want := range []float64{m.mean, m.std, m.min, m.max, m.saturated, m.entropy, m.tv} {
		if got := rec.Column(4 + i).(*array.Float32).Value(0); got != float32(want) {
			t.Errorf("column %s is %v, want %v", rec.ColumnName(4+i), got, want)
		}
	}
}

func TestBadSettings(t *testing.T) {
	s := settings{Levels: 2, Noise: 1, Saturated: 1, Version: 1, Classes: []string{"a", "b"}, Known: make([]byte, 16)}
	s.setShape(picture{height: 7, width: 10, channels: 3})
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*settings){
		"version":        func(s *settings) { s.Version = 2 },
		"channels":       func(s *settings) { s.Channels = 2 },
		"height":         func(s *settings) { s.Height = 12 },
		"huge":           func(s *settings) { s.Height, s.Width, s.Crop = 1<<20, 1<<20, [4]int{0, 0, 1 << 20, 1 << 20} },
		"crop":           func(s *settings) { s.Crop[0] = 1 },
		"negative crop":  func(s *settings) { s.Crop = [4]int{-1, -1, -7, -10} },
		"levels":         func(s *settings) { s.Levels = 0 },
		"noise":          func(s *settings) { s.Noise = -1 },
		"saturated":      func(s *settings) { s.Saturated = 1.5 },
		"filter":         func(s *settings) { s.Known = make([]byte, 9) },
		"one class":      func(s *settings) { s.Classes = s.Classes[:1] },
		"class twice":    func(s *settings) { s.Classes = []string{"a", "a"} },
		"class name":     func(s *settings) { s.Classes = []string{"a", "b\n"} },
		"too many":       func(s *settings) { s.Classes = make([]string, maxClasses+1) },
		"class no UTF-8": func(s *settings) { s.Classes = []string{"a", "\xff"} },
	} {
		bad := s
		change(&bad)
		if err := bad.check(); err == nil {
			t.Errorf("%s: %s is accepted", name, bad.marshal())
		}
	}
	if _, err := (Domain{}).Open(json.RawMessage(bytes.Repeat([]byte(" "), maxSettings+1))); err == nil {
		t.Error("settings over the bound are accepted")
	}
}

func TestFilter(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n = 20000
	b := newFilter(n)
	var in []uint64
	for range n {
		in = append(in, rng.Uint64())
		b.add(in[len(in)-1])
	}
	for _, h := range in {
		if !b.has(h) {
			t.Fatalf("%x was added and is not known", h)
		}
	}
	wrong := 0
	for range 100_000 {
		if b.has(rng.Uint64()) {
			wrong++
		}
	}
	// Expected 46, deviation 7: 100 is beyond seven of them.
	if wrong > 100 || wrong == 0 {
		t.Errorf("%d of 100000 strangers are known, want about 46", wrong)
	}
	if filter(nil).has(1) {
		t.Error("the empty filter knows something")
	}
}

// The hash is that of the cosine transform's definition, and small changes of brightness leave it alone.
func TestHash(t *testing.T) {
	p := random(1, 20, 28, 3)[0]
	h := newHasher(p)
	g := p.grey()
	var want uint64
	for v := range hashSide {
		for u := range hashSide {
			sum := 0.0
			for y := range g.height {
				for x := range g.width {
					sum += (float64(g.pix[y*g.width+x]) - 127.5) * math.Cos(math.Pi*float64(u)*(float64(x)+0.5)/float64(g.width)) *
						math.Cos(math.Pi*float64(v)*(float64(y)+0.5)/float64(g.height))
				}
			}
			if sum > flat {
				want |= 1 << (8*v + u)
			}
		}
	}
	if got := h.hash(p); got != want {
		t.Errorf("hash %016x, want %016x", got, want)
	}
	brighter := picture{p.height, p.width, 3, bytes.Clone(p.pix)}
	for i := range brighter.pix {
		brighter.pix[i]++
	}
	if h.hash(brighter)&^1 != want&^1 {
		t.Error("one level more everywhere changes the hash")
	}
	if newHasher(picture{height: 4, width: 4, channels: 1}).hash(picture{4, 4, 1, bytes.Repeat([]byte{9}, 16)}) != 0 {
		t.Error("a flat dark picture has a bit set")
	}
}

func Example() {
	a, err := Domain{}.Open(json.RawMessage(`{"channels":1,"crop":[0,0,4,4],"height":4,"levels":4,"noise":1,"saturated":0.5,"version":1,"width":4}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float64, a.Free())
	for i := range x {
		x[i] = float64(i)/8 - 1 // a gradient
	}
	fmt.Println(a.Shape(), a.Decode(x, -1).Verdict().Violations)
	clear(x) // an even grey
	fmt.Println(a.Shape(), a.Decode(x, -1).Verdict().Violations)
	// Output:
	// [1 4 4] []
	// [1 4 4] [IM_CONST]
}
