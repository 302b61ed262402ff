package audio

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
	"pfgmgen/io/wav"
	"pfgmgen/validate"
)

var recordings = filepath.Join("..", "..", "..", "shared", "data", "audio", "fsdd", "recordings.zip")

func TestConformance(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{
		Options: domains.LoadOptions{Paths: []string{recordings}}, Records: 120, MaxRejected: 0,
	})
}

// load is Load for data that must be good.
func load(t testing.TB, o domains.LoadOptions) *domains.Data {
	t.Helper()
	d, err := Domain{}.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// digits are the shared recordings, loaded once for all tests.
var digits = sync.OnceValues(func() (*domains.Data, error) {
	return Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{recordings}})
})

func loadDigits(t testing.TB) *domains.Data {
	t.Helper()
	d, err := digits()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// unseen are the recordings that thresholds have not seen: takes 0 to 6 of each speaker and digit.
func unseen(t *testing.T) []wav.Sound {
	t.Helper()
	z, err := zip.OpenReader(recordings)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var out []wav.Sound
	for _, f := range z.File {
		m := takes.FindStringSubmatch(path.Base(f.Name))
		if m == nil || len(m[3]) > 1 || m[3] > "6" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		s, err := wav.Read(r, f.Name, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if len(out) != 420 {
		t.Fatalf("%d recordings of takes 0 to 6, SOURCE.md says 10 digits, 6 speakers", len(out))
	}
	return out
}

// SOURCE.md: 10 digits, 6 speakers, 50 takes; 0 to 4 are test.
func TestRecordings(t *testing.T) {
	d := loadDigits(t)
	a := d.Adapter
	if labels := a.Labels(); strings.Join(labels, "") != "0123456789" {
		t.Errorf("labels %v", labels)
	}
	if shape := a.Shape(); !slices.Equal(shape, []int{44, 128}) || a.Free() != 44*128 {
		t.Errorf("shape %v, %d free", shape, a.Free())
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"300 test recordings not used", "22 clips longer than 44 frames (0.704 s)", "loudness"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	// 43 takes of each for training, 2 held out, and the 22 too long ones, which all are training clips.
	if d.Train.Len() != 43*60-22 || d.Valid.Len() != 2*60 {
		t.Errorf("%d training and %d held-out clips", d.Train.Len(), d.Valid.Len())
	}
	if !strings.Contains(d.Source, "recordings.zip (zip, 3000 clips)") || d.License != "unknown" {
		t.Errorf("source %q, license %q", d.Source, d.License)
	}
}

// Over the training part, every bin has mean 0, and deviation 0.5 unless it is one of those that hardly sound.
func TestBinsAreStandardised(t *testing.T) {
	d := loadDigits(t)
	s := d.Adapter.(*adapter).s
	var sum, squares [bins]float64
	x := make([]float64, d.Adapter.Free())
	for i := range d.Train.Len() {
		d.Train.Encode(x, i)
		for j, v := range x {
			sum[j%bins] += v
			squares[j%bins] += v * v
		}
	}
	n := float64(d.Train.Len() * s.Frames)
	for b := range bins {
		mean := sum[b] / n
		variance := squares[b]/n - mean*mean
		// Settings are rounded to 0.001 dB, of at least 12 dB in the divisor.
		if mean > 1e-4 || mean < -1e-4 || variance > 0.2502 || s.SpreadsDB[b] > minSpread && variance < 0.2498 {
			t.Errorf("bin %d: mean %v, variance %v, spread %v dB", b, mean, variance, s.SpreadsDB[b])
		}
	}
}

// Hard gates reject no real recording, as it is or through the representation; warnings keep near the 0.1 % that their
// thresholds leave out in the training part.
func TestFalseRejects(t *testing.T) {
	a := loadDigits(t).Adapter.(*adapter)
	an := newAnalysis()
	asIs, through := make(map[string]int), make(map[string]int)
	x := make([]float64, a.Free())
	clips := unseen(t)
	long := 0
	for i, s := range clips {
		plain := a.s.measure(trimEnd(slices.Clone(s.Samples)))
		plain.finite = true
		count(asIs, validate.Apply(a.gates, plain))
		c := an.levels(s.Samples)
		if c.frames() > a.s.Frames {
			long++
			continue
		}
		if i%3 == 0 { // a third of them: each takes some milliseconds
			a.s.encode(x, c)
			count(through, a.Decode(x, -1).Verdict())
		}
	}
	t.Logf("of %d as recorded: %v; of a third of them through the representation: %v; %d too long", len(clips), asIs, through, long)
	for _, g := range a.gates {
		if g.Hard && asIs[g.Code]+through[g.Code] > 0 {
			t.Errorf("%s rejects %d real recordings and %d after decoding", g.Code, asIs[g.Code], through[g.Code])
		}
		// 3 of 140: a rate of 0.3 %, three times what the thresholds leave out, gives more in 1 of 1,000 cases.
		if through[g.Code] > 3 {
			t.Errorf("%s warns of %d of %d decoded recordings", g.Code, through[g.Code], len(clips)/3)
		}
	}
	if long > 8 { // 1 % of the training clips are
		t.Errorf("%d of %d recordings are longer than a sample", long, len(clips))
	}
}

func count(codes map[string]int, v validate.Verdict) {
	for _, c := range slices.Concat(v.Violations, v.Warnings) {
		codes[c]++
	}
}

// The codes that gates use and the ones that Describe lists are the same, hard ones first.
func TestChecksAreDescribed(t *testing.T) {
	gates := newAdapter(small()).gates
	if len(gates) != len(checks) {
		t.Fatalf("%d gates, %d described", len(gates), len(checks))
	}
	for i, g := range gates {
		if g.Code != checks[i].Name || strings.HasPrefix(checks[i].About, "hard: ") != g.Hard {
			t.Errorf("gate %s (hard: %v) is described as %s: %s", g.Code, g.Hard, checks[i].Name, checks[i].About)
		}
	}
}

// small are settings made by hand.
func small() *settings {
	s := &settings{Version: settingsVersion, Window: window, Frames: 8, Rate: 8000, Rounds: 4, FloorDB: 50,
		LoudnessDB: -20, MaxGainDB: 0, Lengths: [2]int{100, 1100}, Flatness: 0.1, SilentShare: 0.5}
	for range bins {
		s.Means = append(s.Means, 10)
		s.SpreadsDB = append(s.SpreadsDB, 12)
	}
	return s
}

func TestBadSettings(t *testing.T) {
	if err := small().check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*settings){
		"version":    func(s *settings) { s.Version = 2 },
		"window":     func(s *settings) { s.Window = 512 },
		"frames":     func(s *settings) { s.Frames = 6 },
		"frames ":    func(s *settings) { s.Frames = 1 << 20 },
		"rate":       func(s *settings) { s.Rate = 0 },
		"rounds":     func(s *settings) { s.Rounds = 1 << 30 },
		"floor_db":   func(s *settings) { s.FloorDB = 0 },
		"loudness":   func(s *settings) { s.LoudnessDB = 3 },
		"max_gain":   func(s *settings) { s.MaxGainDB = 1000 },
		"flatness":   func(s *settings) { s.Flatness = 2 },
		"silent":     func(s *settings) { s.SilentShare = -1 },
		"clicks":     func(s *settings) { s.Clicks = -1 },
		"lengths":    func(s *settings) { s.Lengths = [2]int{5, 4} },
		"means":      func(s *settings) { s.Means = s.Means[1:] },
		"mean 51":    func(s *settings) { s.Means[3] = 51 },
		"spread 0":   func(s *settings) { s.SpreadsDB[3] = 0 },
		"one label":  func(s *settings) { s.Labels = []string{"a"} },
		"twice":      func(s *settings) { s.Labels = []string{"a", "a"} },
		"line break": func(s *settings) { s.Labels = []string{"a", "b\n"} },
		"UTF-8":      func(s *settings) { s.Labels = []string{"a", "\xff"} },
		"empty":      func(s *settings) { s.Labels = []string{"a", ""} },
	} {
		s := small()
		spoil(s)
		if s.check() == nil {
			t.Errorf("settings with a bad %s are accepted", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(small().marshal()))
	with := small()
	with.Labels, with.Rounds = []string{"no", "yes"}, 0
	f.Add([]byte(with.marshal()))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Domain{}.Open(json.RawMessage(raw))
		if err != nil {
			return
		}
		b, err := Domain{}.Open(a.Settings())
		if err != nil || !bytes.Equal(a.Settings(), b.Settings()) {
			t.Fatalf("%s does not come back: %v", a.Settings(), err)
		}
		if a.Free() > 64*bins { // each decoding of a long one takes seconds
			return
		}
		x := make([]float64, a.Free())
		for i := range x {
			x[i] = float64(i*7919%11) - 5
		}
		if r := a.Decode(x, 0).(*row); len(r.pcm) > a.Free() {
			t.Fatalf("%d samples from shape %v", len(r.pcm), a.Shape())
		}
	})
}

func Example() {
	a, err := Domain{}.Open(small().marshal())
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]float64, a.Free())
	for i := range x {
		x[i] = -1 // 10 - 24 dB over the floor: silence
		if i%bins == 31 && i < 6*bins {
			x[i] = 40.0 / 24 // the loudest level, in the bin of 1000 Hz
		}
	}
	r := a.Decode(x, -1).(*row)
	fmt.Printf("%.2f s, %.0f dBFS, %.1f kHz, %v\n", float64(len(r.pcm))/8000, toDB(r.rms), r.crossings*8000/2/1000, r.Verdict().Violations)
	// Output: 0.10 s, -20 dBFS, 1.0 kHz, []
}
