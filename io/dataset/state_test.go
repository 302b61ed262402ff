package dataset

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/io/store"
)

const recipe = "3333333333333333333333333333333333333333333333333333333333333333"

// tenEach says that shard k has the ten samples from 10 k on, up to shard n.
func tenEach(n int) func(int) (int64, int64, bool) {
	return func(shard int) (int64, int64, bool) { return int64(10 * shard), 10, shard < n }
}

// withRecords makes the files and records of shards of ten rows.
func withRecords(t *testing.T, st store.Store, shards int) *Writer {
	t.Helper()
	ctx := t.Context()
	if _, err := WritePlan(ctx, st, []byte("{}"), nil); err != nil {
		t.Fatal(err)
	}
	w, err := Create(ctx, st, fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range shards {
		part := writeRows(t, w, k, int64(10*k), int64(10*k+10), 10)
		keys, err := WriteKeys(ctx, st, k, []uint64{1, 2, uint64(k), 1 << 63})
		if err != nil {
			t.Fatal(err)
		}
		r := ShardRecord{Shard: k, RecipeSHA256: recipe, First: int64(10 * k), Samples: 10, Part: &part, Keys: keys, Counts: Counts{Asked: 10, Written: 10, Valid: 10, Attempts: 12}}
		if err := WriteRecord(ctx, st, r); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func stateOf(t *testing.T, st store.Store, n int, check Check) *State {
	t.Helper()
	s, err := ReadState(t.Context(), st, recipe, tenEach(n), check)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestState(t *testing.T) {
	for name, st := range map[string]store.Store{"directory": store.Dir(t.TempDir()), "bucket": store.Memory()} {
		t.Run(name, func(t *testing.T) {
			withRecords(t, st, 3)
			s := stateOf(t, st, 5, CheckHash)
			if len(s.Records) != 3 || len(s.Findings) != 0 || s.Records[2].Shard != 2 || s.Records[1].Part.Rows != 10 {
				t.Fatalf("state %+v", s)
			}
			keys, err := ReadKeys(t.Context(), st, s.Records[2])
			if err != nil || !slices.Equal(keys, []uint64{1, 2, 2, 1 << 63}) {
				t.Errorf("keys %v, %v", keys, err)
			}
			if strays, err := s.Strays(t.Context(), st); err != nil || len(strays) != 0 {
				t.Errorf("strays %v, %v", strays, err)
			}
			// A smaller plan leaves the others alone; another recipe has none of them.
			if s := stateOf(t, st, 2, CheckSize); len(s.Records) != 2 {
				t.Errorf("%d records of a plan of two shards", len(s.Records))
			}
			other, err := ReadState(t.Context(), st, strings.Repeat("4", 64), tenEach(3), CheckSize)
			if err != nil || len(other.Records) != 0 || len(other.Findings) != 3 || other.Findings[0].What != "recipe_sha256" {
				t.Errorf("another recipe: %+v, %v", other, err)
			}
			// The last shard of a smaller dataset is not damaged, but to be made again.
			grown, err := ReadState(t.Context(), st, recipe, func(k int) (int64, int64, bool) { return int64(10 * k), 10 + int64(k/2), true }, CheckSize)
			if err != nil || len(grown.Records) != 2 || len(grown.Findings) != 1 || !grown.Findings[0].Grown || grown.Findings[0].Shard != 2 {
				t.Errorf("a grown shard: %+v, %v", grown, err)
			}
			if err := RemoveRecord(t.Context(), st, 1); err != nil {
				t.Fatal(err)
			}
			if has, err := HasRecord(t.Context(), st, 1); has || err != nil {
				t.Errorf("record 1 is there after its removal: %v", err)
			}
			if has, err := HasRecord(t.Context(), st, 2); !has || err != nil {
				t.Errorf("record 2 is not there: %v", err)
			}
			s = stateOf(t, st, 3, CheckSize)
			strays, err := s.Strays(t.Context(), st)
			if err != nil || !slices.Equal(strays, []string{"_pfgmgen/shard-00001.keys", "data/train-00001.parquet"}) {
				t.Errorf("strays %v, %v", strays, err)
			}
		})
	}
}

func TestStateFindsDamage(t *testing.T) {
	for name, tc := range map[string]struct {
		file   string
		damage func([]byte) []byte
		hash   bool // seen by reading the file only
		want   string
	}{
		"part, a bit":     {"data/train-00001.parquet", func(b []byte) []byte { b[len(b)/3] ^= 1; return b }, true, "sha256"},
		"part, shorter":   {"data/train-00001.parquet", func(b []byte) []byte { return b[:100] }, false, "bytes"},
		"keys, a bit":     {"_pfgmgen/shard-00001.keys", func(b []byte) []byte { b[0] ^= 1; return b }, true, "sha256"},
		"record, no JSON": {"_pfgmgen/shard-00001.json", func(b []byte) []byte { return b[:len(b)-9] }, false, "content"},
		"record, two":     {"_pfgmgen/shard-00001.json", func(b []byte) []byte { return append(b, b...) }, false, "content"},
		"record, empty":   {"_pfgmgen/shard-00001.json", func([]byte) []byte { return nil }, false, "content"},
		"record, a path":  {"_pfgmgen/shard-00001.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), "data/train", "../train", 1)) }, false, "content"},
		"record, a version": {"_pfgmgen/shard-00001.json", func(b []byte) []byte {
			return []byte(strings.Replace(string(b), `"record_version":1`, `"record_version":2`, 1))
		}, false, "content"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			withRecords(t, store.Dir(dir), 3)
			path := filepath.Join(dir, filepath.FromSlash(tc.file))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tc.damage(b), 0o666); err != nil {
				t.Fatal(err)
			}
			for check, sees := range map[Check]bool{CheckHash: true, CheckSize: !tc.hash} {
				s := stateOf(t, store.Dir(dir), 3, check)
				if (len(s.Findings) == 1) != sees || len(s.Records)+len(s.Findings) != 3 {
					t.Errorf("check %s: %+v", check, s.Findings)
				} else if sees && (s.Findings[0].Shard != 1 || s.Findings[0].What != tc.want || s.Findings[0].Grown) {
					t.Errorf("check %s: %+v, want one about %s of shard 1", check, s.Findings[0], tc.want)
				}
			}
		})
	}
}

func TestPlanIsClaimedOnce(t *testing.T) {
	ctx := context.Background()
	for name, st := range map[string]store.Store{"directory": store.Dir(t.TempDir()), "bucket": store.Memory()} {
		a, b, c := []byte(`{"n":1}`), []byte(`{"n":2}`), []byte(`{"n":3}`)
		for _, step := range []struct {
			plan, before []byte
			first        bool
			err          error
		}{
			{a, nil, true, nil},       // claimed
			{a, nil, false, nil},      // by two at once
			{b, nil, false, ErrTaken}, // by another run
			{b, a, false, nil},        // grown
			{c, a, false, ErrTaken},   // from what it is no more
		} {
			first, err := WritePlan(ctx, st, step.plan, step.before)
			if first != step.first || !errors.Is(err, step.err) {
				t.Errorf("%s: plan %s for %s: first %v, %v", name, step.plan, step.before, first, err)
			}
		}
		if got, err := ReadPlan(ctx, st); err != nil || string(got) != string(b) {
			t.Errorf("%s: plan %s, %v", name, got, err)
		}
	}
}

func TestAboutStays(t *testing.T) {
	st := store.Dir(t.TempDir())
	if _, err := ReadAbout(t.Context(), st); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no about: %v", err)
	}
	for _, text := range []string{`{"a":1}`, `{"a":2}`} {
		if err := WriteAbout(t.Context(), st, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ReadAbout(t.Context(), st); err != nil || string(got) != `{"a":1}` {
		t.Errorf("about %s, %v", got, err)
	}
	if err := WriteAbout(t.Context(), st, []byte("{")); err == nil {
		t.Error("an about that is not JSON was written")
	}
}

// A manifest of very many parts leaves the sums of their columns to the records, and verify finds them there.
func TestManyParts(t *testing.T) {
	st := store.Dir(t.TempDir())
	w := withRecords(t, st, 2)
	m := testManifest(20)
	w.Complete(&m)
	few := m
	few.Parts = slices.Clone(m.Parts)
	for i := range few.Parts {
		few.Parts[i].Columns = nil
	}
	if err := few.check(); err == nil {
		t.Error("two parts without columns were accepted")
	}
	if err := w.Commit(t.Context(), m, "#\n"); err != nil {
		t.Fatal(err)
	}
	if f, err := VerifyParts(t.Context(), st, &few); err != nil || len(f) != 0 {
		t.Errorf("findings %v, %v", f, err)
	}
	if err := RemoveRecord(t.Context(), st, 1); err != nil {
		t.Fatal(err)
	}
	if f, err := VerifyParts(t.Context(), st, &few); err != nil || len(f) == 0 || !strings.Contains(f[0].String(), "shard-00001.json: presence") {
		t.Errorf("findings %v, %v", f, err)
	}
}
