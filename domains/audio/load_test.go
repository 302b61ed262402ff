package audio

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/io/wav"
)

// sound is a WAV file of word.
func sound(t testing.TB, rate, channels int, pitch float64) []byte {
	t.Helper()
	x := word(rate, pitch)
	s := wav.Sound{Rate: rate, Channels: channels}
	for _, v := range x {
		for range channels {
			s.Samples = append(s.Samples, v)
		}
	}
	var b bytes.Buffer
	if err := wav.Write(&b, s, wav.Float32); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folder writes words of different pitches under the names given.
func folder(t testing.TB, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		put(t, filepath.Join(dir, name), sound(t, 8000, 1, 100+7*float64(i)))
	}
	return dir
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestLayouts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		names  []string
		labels string
		train  string // class:split of each, by sorted name
	}{
		{"class folders", []string{"no/a.wav", "yes/b.wav", "yes/deep/c.WAV"}, "no yes", "no: yes: yes:"},
		{"flat", []string{"a.wav", "b.wav"}, "", ": :"},
		{"one folder is no class", []string{"x/a.wav", "x/b.wav"}, "", ": :"},
		{"split folders", []string{"train/no/a.wav", "train/yes/b.wav", "validation/no/c.wav", "test/yes/d.wav"}, "no yes",
			"yes:test no:train yes:train no:valid"},
		{"split folders without classes", []string{"train/a.wav", "test/b.wav"}, "", ":test :train"},
		{"takes", []string{"r/1_ann_0.wav", "r/1_ann_4.wav", "r/2_ann_5.wav", "r/2_bob_6.wav", "r/2_bob_7.wav", "r/1_bob_49.wav"}, "1 2",
			"1:test 1:test 1:train 2:valid 2:valid 2:train"},
		{"few takes", []string{"1_ann_0.wav", "2_ann_1.wav"}, "1 2", "1: 2:"},
		{"takes in class folders", []string{"x/1_ann_0.wav", "y/2_ann_9.wav"}, "x y", "x: y:"},
		{"not all takes", []string{"1_ann_0.wav", "other.wav"}, "", ": :"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			slices.Sort(tc.names)
			var got []string
			for _, r := range layOut(tc.names) {
				got = append(got, r.class+":"+r.split)
			}
			if strings.Join(got, " ") != tc.train {
				t.Errorf("%v: %v, want %s", tc.names, got, tc.train)
			}
		})
	}
	if r := named("yes/012c8314_nohash_3.wav"); r.speaker != "012c8314" || r.group != r.speaker {
		t.Errorf("Speech Commands: %+v", r)
	}
}

// describe lists the classes of a part.
func describe(d *domains.Data, e domains.Examples) string {
	var out []string
	x := make([]float64, d.Adapter.Free())
	for i := range e.Len() {
		label := "-"
		if k := e.Encode(x, i); k >= 0 {
			label = d.Adapter.Labels()[k]
		}
		out = append(out, label)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestFolderAndZip(t *testing.T) {
	names := []string{"train/no/a.wav", "train/no/b.wav", "train/yes/c.wav", "train/10/x.wav", "train/9/x.wav", "val/yes/d.wav", "test/no/e.wav",
		"train/no/.hidden.wav", ".git/no/x.wav", "__MACOSX/no/x.wav"}
	dir := folder(t, names...)
	put(t, filepath.Join(dir, "train", "no", "notes.txt"), []byte("text"))
	archive := filepath.Join(t.TempDir(), "all.zip")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, archive, b.Bytes())
	var settings [][]byte
	for _, path := range []string{dir, archive} {
		d := load(t, domains.LoadOptions{Paths: []string{path}})
		if got := describe(d, d.Train); got != "10 9 no no yes" || describe(d, d.Valid) != "yes" {
			t.Errorf("%s: training %q, held out %q", path, got, describe(d, d.Valid))
		}
		if labels := d.Adapter.Labels(); !slices.Equal(labels, []string{"9", "10", "no", "yes"}) {
			t.Errorf("labels %v", labels)
		}
		if !strings.Contains(strings.Join(d.Notes, "\n"), "1 test recordings not used") || !strings.Contains(d.Source, "7 clips") {
			t.Errorf("notes %q, source %q", d.Notes, d.Source)
		}
		settings = append(settings, d.Adapter.Settings())
	}
	if !bytes.Equal(settings[0], settings[1]) {
		t.Error("a zip of a folder gives other settings than the folder")
	}
	before := load(t, domains.LoadOptions{Paths: []string{dir}}).SHA256
	if err := os.Rename(filepath.Join(dir, "train", "no", "a.wav"), filepath.Join(dir, "train", "yes", "a.wav")); err != nil {
		t.Fatal(err)
	}
	if load(t, domains.LoadOptions{Paths: []string{dir}}).SHA256 == before {
		t.Error("a file in another class folder leaves the hash as it was")
	}
}

func TestSpeechCommands(t *testing.T) {
	dir := folder(t, "no/aa_nohash_0.wav", "no/bb_nohash_0.wav", "yes/aa_nohash_0.wav", "yes/cc_nohash_1.wav", "yes/dd_nohash_0.wav",
		"_background_noise_/hum.wav")
	put(t, filepath.Join(dir, "validation_list.txt"), []byte("no/bb_nohash_0.wav\r\n"))
	put(t, filepath.Join(dir, "testing_list.txt"), []byte("yes/cc_nohash_1.wav\n"))
	d := load(t, domains.LoadOptions{Paths: []string{dir}})
	if describe(d, d.Train) != "no yes yes" || describe(d, d.Valid) != "no" {
		t.Errorf("training %q, held out %q", describe(d, d.Train), describe(d, d.Valid))
	}
	d = load(t, domains.LoadOptions{Paths: []string{dir}, Settings: map[string]string{"condition": "none"}})
	if len(d.Adapter.Labels()) != 0 {
		t.Errorf("labels %v", d.Adapter.Labels())
	}
}

// Without a split, a speaker is in one part.
func TestHashSplit(t *testing.T) {
	var names []string
	for s := range 12 {
		for take := range 2 {
			names = append(names, fmt.Sprintf("w%d/s%d_nohash_%d.wav", take, s, take))
		}
	}
	d := load(t, domains.LoadOptions{Paths: []string{folder(t, names...)}, Settings: map[string]string{"condition": "speaker"}})
	labels := d.Adapter.Labels()
	if n := d.Train.Len(); n != 2*len(labels) || n == 24 || n < 12 {
		t.Errorf("%d training clips of %d speakers", n, len(labels))
	}
	if !strings.Contains(strings.Join(d.Notes, "\n"), "held-out clips of labels without a training clip left out") {
		t.Errorf("notes %q", d.Notes)
	}
}

func TestSplitTable(t *testing.T) {
	dir := folder(t, "a.wav", "b.wav", "c.wav", "d.wav")
	table := filepath.Join(t.TempDir(), "split.tsv")
	put(t, table, []byte("id\tsplit\na.wav\ttrain\nb.wav\tvalid\nc.wav\ttest\n"))
	d := load(t, domains.LoadOptions{Paths: []string{dir}, Split: table})
	if d.Train.Len() != 1 || d.Valid.Len() != 1 {
		t.Errorf("%d training and %d held-out clips", d.Train.Len(), d.Valid.Len())
	}
	notes := strings.Join(d.Notes, "\n")
	if !strings.Contains(notes, "1 test recordings") || !strings.Contains(notes, "1 recordings that the split table does not name") {
		t.Errorf("notes %q", notes)
	}
}

func TestMetadata(t *testing.T) {
	dir := folder(t, "a.wav", "sub/b.wav", "c.wav", "d.wav")
	meta := filepath.Join(dir, "metadata.jsonl")
	put(t, meta, []byte(`{"file_name":"a.wav","label":"dog","split":"train","other":[1]}

{"file_name":"sub/b.wav","label":7,"split":"train"}
{"file_name":"c.wav","label":"dog","split":"dev"}
`))
	d := load(t, domains.LoadOptions{Paths: []string{meta}})
	if describe(d, d.Train) != "7 dog" || describe(d, d.Valid) != "dog" || !strings.Contains(d.Source, "metadata.jsonl (JSON lines, 3 clips)") {
		t.Errorf("training %q, held out %q, source %q", describe(d, d.Train), describe(d, d.Valid), d.Source)
	}
}

// One recording at three rates and in stereo has the same spectrogram, to a level or two; repeats are dropped.
func TestRatesAndChannels(t *testing.T) {
	dir := t.TempDir()
	for i, rate := range []int{8000, 16000, 44100} {
		put(t, filepath.Join(dir, fmt.Sprintf("%d.wav", i)), sound(t, rate, 1+i%2, 130))
	}
	in := &input{target: 8000, analysis: newAnalysis(), resampler: make(map[int]*resampler)}
	for i := range 3 {
		f, err := os.Open(filepath.Join(dir, fmt.Sprintf("%d.wav", i)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := in.addUnhashed(f, "x", record{}); err != nil {
			t.Fatal(err)
		}
	}
	if in.mixed != 1 || in.resampled != 2 {
		t.Errorf("%d mixed, %d resampled", in.mixed, in.resampled)
	}
	first := in.records[0].clip
	for _, r := range in.records[1:] {
		if len(r.clip) != len(first) {
			t.Fatalf("%d frames, want %d", r.clip.frames(), first.frames())
		}
		sum, n := 0.0, 0
		for i, q := range first {
			if q > steps*2/5 { // within 30 dB of the peak; below, the edges of the file at another rate tell
				sum += math.Abs(float64(q) - float64(r.clip[i]))
				n++
			}
		}
		if mean := sum / float64(n); !(mean < 2) {
			t.Errorf("levels differ by %.2f on average over %d points", mean, n)
		}
	}
	same := t.TempDir()
	for _, name := range []string{"train/a.wav", "train/b.wav", "valid/c.wav", "train/d.wav", "train/e.wav"} {
		pitch := 100.0
		if name > "train/c" {
			pitch = 150 // d, e and the held-out c
		}
		put(t, filepath.Join(same, name), sound(t, 8000, 1, pitch))
	}
	put(t, filepath.Join(same, "train", "silence.wav"), sound(t, 8000, 1, 1e9))
	d := load(t, domains.LoadOptions{Paths: []string{same}})
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"1 exact repeats dropped", "2 training clips dropped because the same one is held out", "1 recordings of silence left out"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if d.Train.Len() != 1 || d.Valid.Len() != 1 {
		t.Errorf("%d and %d clips", d.Train.Len(), d.Valid.Len())
	}
}

func TestFramesAndRate(t *testing.T) {
	dir := folder(t, "a.wav", "b.wav")
	d := load(t, domains.LoadOptions{Paths: []string{dir}, Settings: map[string]string{"frames": "40", "rate": "16000"}})
	if shape := d.Adapter.Shape(); shape[0] != 40 || !bytes.Contains(d.Adapter.Settings(), []byte(`"rate":16000`)) {
		t.Errorf("shape %v, settings %.300s", shape, d.Adapter.Settings())
	}
	if !strings.Contains(strings.Join(d.Notes, "\n"), "2 recordings resampled to 16000 Hz") {
		t.Errorf("notes %q", d.Notes)
	}
}

// TestSlowRate: a file that says 1 Hz is refused before it is resampled to thousands of times its size.
func TestSlowRate(t *testing.T) {
	var b bytes.Buffer
	if err := wav.Write(&b, wav.Sound{Rate: 1, Channels: 1, Samples: make([]float64, 1<<12)}, wav.PCM16); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "slow.wav")
	put(t, path, b.Bytes())
	_, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{path}})
	if err == nil || !strings.Contains(err.Error(), "slow.wav: 4096 samples at 1 Hz are 32768000 at 8000 Hz") {
		t.Errorf("error %v", err)
	}
}

// TestLabelOrder: numbers stand in their order, however large, and before texts.
func TestLabelOrder(t *testing.T) {
	want := []string{"-9223372036854775808", "-1", "2", "10", "9223372036854775807", "10a", "a"}
	got := slices.Clone(want)
	slices.Reverse(got)
	if slices.SortFunc(got, compareLabels); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	file := func(name string, b []byte) domains.LoadOptions {
		path := filepath.Join(t.TempDir(), name)
		put(t, path, b)
		return domains.LoadOptions{Paths: []string{path}}
	}
	with := func(o domains.LoadOptions, name, value string) domains.LoadOptions {
		o.Settings = map[string]string{name: value}
		return o
	}
	dir := func(name string, b []byte) domains.LoadOptions {
		d := t.TempDir()
		put(t, filepath.Join(d, name), b)
		return domains.LoadOptions{Paths: []string{d}}
	}
	good := sound(t, 8000, 1, 100)
	two := domains.LoadOptions{Paths: []string{folder(t, "a.wav", "b.wav")}}
	broken := slices.Clone(good)
	copy(broken[44+4*123:], "\x00\x00\xc0\x7f") // NaN in float32
	breaks := filepath.Join(two.Paths[0], "m.jsonl")
	put(t, breaks, []byte(`{"file_name":"a.wav","label":"x\ny","split":"train"}`))
	nobody := filepath.Join(t.TempDir(), "split.tsv")
	put(t, nobody, []byte("id\tsplit\nz.wav\ttrain\n"))
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
		want []string
	}{
		{"text", file("a.txt", []byte("hello")), []string{"a.txt", "neither", `"hell"`}},
		{"a damaged WAV in a folder", dir("no/x.wav", good[:100]), []string{filepath.Join("no", "x.wav"), "offset 44"}},
		{"NaN", file("nan.wav", broken), []string{"nan.wav", "sample 123 is NaN"}},
		{"a damaged zip", file("x.zip", []byte("PK\x03\x04 and no more")), []string{"x.zip", "zip"}},
		{"an empty folder", domains.LoadOptions{Paths: []string{t.TempDir()}}, []string{"no WAV files"}},
		{"silence", file("s.wav", sound(t, 8000, 1, 1e9)), []string{"no recording with sound", "s.wav"}},
		{"metadata outside", file("m.jsonl", []byte(`{"file_name":"../a.wav"}`)), []string{"m.jsonl: line 1", "../a.wav"}},
		{"metadata of nothing", file("m.jsonl", []byte(`{"file_name":"a.wav"}`)), []string{"line 1", "a.wav"}},
		{"metadata that is no JSON", file("m.jsonl", []byte(`{"file_name":`)), []string{"line 1"}},
		{"metadata with a list", file("m.jsonl", []byte(`{"file_name":"a.wav","label":[1]}`)), []string{"line 1", "label [1]"}},
		{"metadata with another split", file("m.jsonl", []byte(`{"file_name":"a.wav","split":"half"}`)), []string{"line 1", "half"}},
		{"a split table that knows none", domains.LoadOptions{Paths: two.Paths, Split: nobody}, []string{"none of the 2 recordings"}},
		{"no speakers", with(two, "condition", "speaker"), []string{"condition=speaker", "2 recordings"}},
		{"a bad condition", with(two, "condition", "mood"), []string{"condition=mood"}},
		{"bad frames", with(two, "frames", "42"), []string{"frames=42"}},
		{"few frames", with(two, "frames", "4"), []string{"longer than 4 frames"}},
		{"a bad rate", with(two, "rate", "100"), []string{"rate=100"}},
		{"a label with a line break", domains.LoadOptions{Paths: []string{breaks}}, []string{"a.wav", "control character"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Domain{}.Load(context.Background(), tc.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tc.want, "audio: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if tc.o.Settings != nil && tc.name != "few frames" && !errors.Is(err, domains.ErrSetting) {
				t.Errorf("error %q does not wrap ErrSetting", err)
			}
		})
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add([]byte(`{"file_name":"a.wav","label":"dog","split":"train"}`))
	f.Add([]byte(`{"file_name":"a/b.wav","label":3.5,"speaker":"x"}`))
	f.Add([]byte(`{"file_name":"../../x","label":null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseMetadata(line)
		if err == nil && (!filepath.IsLocal(filepath.FromSlash(r.id)) || r.split != "" && r.split != "train" && r.split != "valid" && r.split != "test") {
			t.Fatalf("%q is read as %+v", line, r)
		}
	})
}
