package audio

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"pfgmgen/internal/splits"
	"pfgmgen/io/lines"
	"pfgmgen/io/wav"
)

// Bounds on what is read.
const (
	maxClips = 1 << 18
	maxBytes = 4 << 30 // of all spectrograms, one byte for each point
	maxClip  = 1 << 24 // samples of one file over its channels, and of one channel after resampling
	maxLine  = 1 << 16 // bytes of a line of metadata
)

// noise is the folder of Speech Commands with long recordings of noise, which are no clips.
const noise = "_background_noise_"

// A record is one recording as read.
type record struct {
	id      string // its path below the folder or in the zip
	class   string // empty when the input names none
	speaker string // empty when the name has none
	split   string // train, valid, test, or empty when the input has none
	group   string // what a split by hash keeps together
	clip    clip
	rms     float64 // as recorded; full scale is 1
}

// An input is what the data files hold together.
type input struct {
	target    int // sampling rate that recordings are brought to, Hz
	records   []record
	bytes     int
	analysis  *analysis
	resampler map[int]*resampler // by the rate of the file
	resampled int
	mixed     int
	silent    int
	sources   []string // one phrase per path
	sum       hash.Hash
}

// read adds what is at path: a folder, a zip, a WAV file, or JSON lines.
func (in *input) read(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	before := len(in.records)
	kind := "folder"
	if st.IsDir() {
		err = in.readTree(ctx, os.DirFS(path), path, true)
	} else {
		kind, err = in.readFile(ctx, path)
	}
	if err != nil {
		return err
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (%s, %d clips)", filepath.Base(path), kind, len(in.records)-before))
	return nil
}

func (in *input) readFile(ctx context.Context, name string) (kind string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	switch {
	case n == 0 && err == io.EOF:
		return "", fmt.Errorf("%s: the file is empty", name)
	case err != nil && err != io.ErrUnexpectedEOF:
		return "", fmt.Errorf("%s: %w", name, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	switch magic := string(head[:n]); {
	case magic == "PK\x03\x04":
		return "zip", in.readZip(ctx, f, name)
	case magic == "RIFF":
		return "WAV", in.add(f, name, named(filepath.Base(name)))
	case head[0] == '{':
		return "JSON lines", in.readMetadata(ctx, f, name)
	default:
		return "", fmt.Errorf("%s: neither a WAV file (RIFF), a zip (PK), a folder, nor JSON lines ({); it begins with %q", name, magic)
	}
}

func (in *input) readZip(ctx context.Context, f *os.File, name string) error {
	if _, err := io.Copy(in.sum, contextReader{ctx, f}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	z, err := zip.NewReader(f, st.Size())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return in.readTree(ctx, z, name, false)
}

// readTree adds the WAV files of a folder or zip called root, in the order of their names. hashed says to add names and
// contents to the sum.
func (in *input) readTree(ctx context.Context, tree fs.FS, root string, hashed bool) error {
	var names []string
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name != "." && (base[0] == '.' || base == noise || base == "__MACOSX") && d.IsDir():
			return fs.SkipDir
		case d.IsDir() || base[0] == '.' || !strings.EqualFold(path.Ext(base), ".wav"):
			return nil
		case len(names) == maxClips:
			return fmt.Errorf("over %d WAV files", maxClips)
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", root, err)
	}
	if len(names) == 0 {
		return fmt.Errorf("%s: no WAV files in it", root)
	}
	records := layOut(names)
	if err := readLists(tree, root, records); err != nil {
		return err
	}
	for _, r := range records {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := tree.Open(r.id)
		if err != nil {
			return fmt.Errorf("%s: %w", root, err)
		}
		if hashed {
			io.WriteString(in.sum, r.id+"\x00")
			err = in.add(f, filepath.Join(root, filepath.FromSlash(r.id)), r)
		} else {
			err = in.addUnhashed(f, root+": "+r.id, r)
		}
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// readLists takes the split of Speech Commands from the lists beside the folders.
func readLists(tree fs.FS, root string, records []record) error {
	part := make(map[string]string)
	for _, list := range []struct{ name, part string }{{"validation_list.txt", splits.Valid}, {"testing_list.txt", splits.Test}} {
		f, err := tree.Open(list.name)
		if err != nil {
			continue // most folders have none
		}
		defer f.Close()
		l, err := lines.NewReader(f)
		for err == nil {
			l.Max = maxLine
			var line []byte
			if line, err = l.Next(); err == nil {
				part[strings.TrimSpace(string(line))] = list.part
			}
			if len(part) > maxClips {
				err = fmt.Errorf("over %d names", maxClips)
			}
		}
		if err != io.EOF {
			return fmt.Errorf("%s: %s: %w", root, list.name, err)
		}
	}
	if len(part) == 0 {
		return nil
	}
	for i := range records {
		if records[i].split = part[records[i].id]; records[i].split == "" {
			records[i].split = splits.Train
		}
	}
	return nil
}

// readMetadata adds the WAV files that JSON lines name, relative to the folder of the file.
func (in *input) readMetadata(ctx context.Context, f io.Reader, name string) error {
	l, err := lines.NewReader(io.TeeReader(f, in.sum))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.Max = maxLine
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := l.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		r, err := parseMetadata(line)
		if err == nil {
			err = in.addFile(filepath.Join(filepath.Dir(name), filepath.FromSlash(r.id)), r)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", name, l.Number(), err)
		}
	}
}

// parseMetadata reads one line, such as {"file_name":"a.wav","label":"dog","split":"train"}. Other keys are ignored.
func parseMetadata(line []byte) (record, error) {
	var m struct {
		FileName string `json:"file_name"`
		Label    any    `json:"label"`
		Split    string `json:"split"`
		Speaker  string `json:"speaker"`
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return record{}, err
	}
	if !filepath.IsLocal(filepath.FromSlash(m.FileName)) {
		return record{}, fmt.Errorf("file_name %.80q, want a path below the folder of the file", m.FileName)
	}
	r := record{id: m.FileName, speaker: m.Speaker, group: m.Speaker}
	switch v := m.Label.(type) {
	case nil:
	case string:
		r.class = v
	case float64:
		r.class = fmt.Sprint(v)
	default:
		return record{}, fmt.Errorf("label %v, want a text or a number", v)
	}
	if m.Split != "" {
		part, err := splits.Part(m.Split)
		if err != nil {
			return record{}, err
		}
		r.split = part
	}
	return r, nil
}

func (in *input) addFile(name string, r record) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return in.add(f, name, r)
}

// add is addUnhashed with the bytes added to the sum.
func (in *input) add(f io.Reader, where string, r record) error {
	raw := io.TeeReader(f, in.sum)
	if err := in.addUnhashed(raw, where, r); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// addUnhashed decodes a WAV file and keeps its spectrogram. Silent recordings are counted and left out.
func (in *input) addUnhashed(f io.Reader, where string, r record) error {
	s, err := wav.Read(f, where, maxClip)
	if err != nil {
		return err
	}
	for i, v := range s.Samples {
		if v-v != 0 || v > 1e6 || v < -1e6 {
			return fmt.Errorf("%s: sample %d is %v, want a number around -1 to 1", where, i, v)
		}
	}
	if s.Channels > 1 {
		in.mixed++
	}
	x := s.Mono()
	if s.Rate != in.target {
		// A rate of 1 Hz makes thousands of samples of one.
		if n := int64(len(x)) * int64(in.target) / int64(s.Rate); n > maxClip {
			return fmt.Errorf("%s: %d samples at %d Hz are %d at %d Hz, at most %d are taken", where, len(x), s.Rate, n, in.target, maxClip)
		}
		if in.resampler[s.Rate] == nil {
			if len(in.resampler) == 16 { // kernels of the usual rates fit; odd ones are made again
				clear(in.resampler)
			}
			in.resampler[s.Rate] = newResampler(s.Rate, in.target)
		}
		x = in.resampler[s.Rate].resample(x)
		in.resampled++
	}
	if r.clip = in.analysis.levels(x); len(r.clip) == 0 {
		in.silent++
		return nil
	}
	r.rms, _ = rmsAndPeak(x)
	if in.bytes += len(r.clip); in.bytes > maxBytes || len(in.records) == maxClips {
		return fmt.Errorf("%s: too much data: over %d clips or %d points of their spectrograms", where, maxClips, maxBytes)
	}
	in.records = append(in.records, r)
	return nil
}

// A contextReader fails when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
