package sampler

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

// fullContract has every field set, away from the defaults.
func fullContract() *Contract {
	return &Contract{
		Version: ContractVersion, Domain: "rna", Shape: []int{3, 2}, Free: 5, D: 128.5, SigmaData: 0.5, SigmaMin: 0.002, SigmaMax: 80.125,
		Rho: 6.5, Steps: 24, Offset: []float64{0, 0.1, -0.2, 1e-300, 5, 6}, Scale: []float64{-2.5}, Symmetry: "upper_triangle", Mask: "mask_input", Guidance: 2.5,
		Labels: []string{"Ala", "Gly <&> \"x\"", "γ"}, LabelShares: []float64{0.1, 0.2, 0.7}, License: "CC0-1.0", Source: "Rfam, RF00005",
		Adapter: json.RawMessage(`{"alphabet":"ACGU-"}`), Training: json.RawMessage(`{"examples":1000}`),
	}
}

func TestContractRoundTrip(t *testing.T) {
	limit := fullContract()
	limit.D = math.Inf(1)
	plain := fullContract()
	plain.Labels, plain.LabelShares, plain.Guidance, plain.Adapter, plain.Training = nil, nil, 1, nil, nil
	tiny := fullContract()
	tiny.D, tiny.SigmaMin, tiny.SigmaMax = 5e-324, 0.1+0.2, math.MaxFloat64
	for name, c := range map[string]*Contract{"full": fullContract(), "D = inf": limit, "nothing optional": plain, "extreme numbers": tiny} {
		meta := c.Metadata()
		meta["author"] = "somebody else's key"
		got, err := ParseContract(meta)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(got, c) {
			t.Errorf("%s: %+v, want %+v", name, got, c)
		}
	}
	if d := limit.Metadata()["pfgmgen.d"]; d != "inf" {
		t.Errorf("D = +Inf is written %q, want inf", d)
	}
	for _, inf := range []string{"inf", "Inf", "+inf", "infinity"} {
		meta := fullContract().Metadata()
		meta["pfgmgen.d"] = inf
		if c, err := ParseContract(meta); err != nil || !math.IsInf(c.D, 1) {
			t.Errorf("d = %q: %v", inf, err)
		}
	}
}

// A model with the seven required keys is complete; the rest has defaults.
func TestContractDefaults(t *testing.T) {
	c, err := ParseContract(map[string]string{"pfgmgen.version": "1", "pfgmgen.domain": "rna", "pfgmgen.shape": "4", "pfgmgen.n": "4",
		"pfgmgen.d": "64", "pfgmgen.sigma_data": "0.5", "pfgmgen.sigma_min": "0.002", "pfgmgen.sigma_max": "80"})
	want := &Contract{Version: 1, Domain: "rna", Shape: []int{4}, Free: 4, D: 64, SigmaData: 0.5, SigmaMin: 0.002, SigmaMax: 80, Rho: 7, Steps: 18,
		Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", Guidance: 1, License: "unknown", Source: "unknown"}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%+v, %v, want %+v", c, err, want)
	}
	if got, want := c.Info(), (Info{Size: 4, Free: 4, D: 64, SigmaMin: 0.002, SigmaMax: 80, SigmaData: 0.5}); got != want {
		t.Errorf("Info %+v, want %+v", got, want)
	}
	if n := fullContract().Info().Classes; n != 3 {
		t.Errorf("%d classes, want 3", n)
	}
}

// Guidance 0 and 1 are both none, and come out as 1, which is what plans know; zeros are a mask to a sampler.
func TestContractNone(t *testing.T) {
	meta := fullContract().Metadata()
	meta["pfgmgen.guidance"], meta["pfgmgen.mask"] = "0", MaskZeros
	c, err := ParseContract(meta)
	if err != nil || c.Guidance != 1 || !c.Info().Masked {
		t.Errorf("%+v, %v", c, err)
	}
	if fullContract().Info().Masked {
		t.Error("mask_input is no mask of zeros")
	}
}

func TestContractNamesEveryMissingKey(t *testing.T) {
	c, err := ParseContract(nil)
	if err == nil || c != nil {
		t.Fatalf("%+v, %v from nothing", c, err)
	}
	for _, key := range []string{"version", "domain", "shape", "n", "d", "sigma_data", "sigma_min", "sigma_max"} {
		if !strings.Contains(err.Error(), "pfgmgen."+key+" is missing") {
			t.Errorf("error %q does not name %s", err, key)
		}
	}
}

func TestContractMalformed(t *testing.T) {
	for _, tc := range []struct{ key, value, says string }{
		{"version", "one", `pfgmgen.version is "one"`},
		{"version", "2", "version is 2, this build reads 1"},
		{"domain", "", "pfgmgen.domain is missing"},
		{"shape", "", "pfgmgen.shape is"},
		{"shape", "3,x", "pfgmgen.shape is"},
		{"shape", "0", "list of positive sizes"},
		{"shape", "-3,-2", "list of positive sizes"},
		{"shape", "4294967296,4294967296", "list of positive sizes"}, // 2^64 overflows to 0
		{"shape", "3037000500,3037000500", "list of positive sizes"}, // overflows to a negative product
		{"shape", "6148914691236517206,3", "list of positive sizes"}, // overflows to 2
		{"shape", "268435457", "list of positive sizes"},
		{"n", "7", "n is 7, want 1..6"},
		{"n", "0", "n is 0, want 1..6"},
		{"d", "0", "D is 0,"},
		{"d", "-1", "D is -1"},
		{"d", "nan", "D is NaN"},
		{"d", "-inf", "D is -Inf"},
		{"d", "64 dims", "pfgmgen.d is"},
		{"sigma_data", "0", "sigma_data is 0"},
		{"sigma_min", "nan", "sigma_min is NaN"},
		{"sigma_min", "80.125", "sigma_min 80.125 is not below sigma_max"},
		{"sigma_max", "inf", "sigma_max is +Inf"},
		{"sigma_max", "1e999", "pfgmgen.sigma_max is"},
		{"rho", "-7", "rho is -7"},
		{"steps", "0", "steps is 0"},
		{"steps", "1.5", "pfgmgen.steps is"},
		{"steps", "10001", "steps is 10001, want 1 to 10000"},
		{"offset", "1,2", "offset has 2 values, want 1 or 6"},
		{"offset", "0,0,0,0,0,nan", "offset holds NaN"},
		{"offset", "0,,0", "pfgmgen.offset holds"},
		{"scale", "0", "scale holds 0"},
		{"scale", "inf", "scale holds +Inf"},
		{"symmetry", "diagonal", "symmetry is"},
		{"mask", "half", "mask is"},
		{"guidance", "-1", "guidance is -1"},
		{"guidance", "inf", "guidance is +Inf"},
		{"label_shares", "0.5,0.5", "label_shares are 2 numbers"},
		{"label_shares", "0.5,0.5,0.1", "with a sum of 1.1"},
		{"label_shares", "-0.5,1,0.5", "label_shares are 3 numbers"},
		{"labels", "Ala,Gly", "pfgmgen.labels is not the JSON expected"},
		{"labels", `["Ala","Ala"]`, "label 1 is"},
		{"labels", `["Ala",""]`, "label 1 is"},
		{"adapter", "{", "pfgmgen.adapter is not the JSON expected"},
		{"training", "{]", "pfgmgen.training is not the JSON expected"},
	} {
		meta := fullContract().Metadata()
		meta["pfgmgen."+tc.key] = tc.value
		c, err := ParseContract(meta)
		if err == nil || c != nil || !strings.Contains(err.Error(), tc.says) || !strings.HasPrefix(err.Error(), "sampler: model ") {
			t.Errorf("%s = %q: %+v, error %v, want one that says %q", tc.key, tc.value, c, err, tc.says)
		}
	}
	// Two faults are both named.
	meta := fullContract().Metadata()
	meta["pfgmgen.n"], meta["pfgmgen.d"] = "x", "y"
	if _, err := ParseContract(meta); err == nil || !strings.Contains(err.Error(), "pfgmgen.n is") || !strings.Contains(err.Error(), "pfgmgen.d is") {
		t.Errorf("error %v, want both n and d", err)
	}
}

func TestContractSize(t *testing.T) {
	for _, tc := range []struct {
		shape []int
		want  int
	}{{nil, 0}, {[]int{1}, 1}, {[]int{3, 4, 5}, 60}, {[]int{MaxSize}, MaxSize}, {[]int{MaxSize, 2}, 0}, {[]int{MaxSize + 1}, 0},
		{[]int{1 << 20, 1 << 20, 1 << 24}, 0}, {[]int{-1, -1}, 0}, {[]int{5, 0}, 0}, {[]int{math.MaxInt, math.MaxInt}, 0}} {
		if got := (&Contract{Shape: tc.shape}).Size(); got != tc.want {
			t.Errorf("shape %v: %d, want %d", tc.shape, got, tc.want)
		}
	}
}

// Whatever a key holds, ParseContract returns a valid contract or an error, never both or neither, and a contract it
// returns survives being written and read again.
func FuzzParseContract(f *testing.F) {
	for key, value := range fullContract().Metadata() {
		f.Add(key, value, "pfgmgen.d", "inf")
	}
	f.Add("pfgmgen.shape", "9223372036854775807,2", "pfgmgen.n", "-1")
	f.Add("pfgmgen.offset", strings.Repeat("1,", 100), "pfgmgen.labels", "[null]")
	f.Add("pfgmgen.adapter", " null ", "pfgmgen.version", "")
	f.Fuzz(func(t *testing.T, key1, value1, key2, value2 string) {
		meta := fullContract().Metadata()
		meta[key1], meta[key2] = value1, value2
		c, err := ParseContract(meta)
		if (c == nil) == (err == nil) {
			t.Fatalf("%+v with error %v", c, err)
		}
		if err != nil {
			return
		}
		if c.Size() < 1 || c.Size() > MaxSize || c.Info().Free > c.Size() {
			t.Fatalf("sizes of %+v", c)
		}
		once := c.Metadata()
		again, err := ParseContract(once)
		if err != nil {
			t.Fatalf("written and read again: %v", err)
		}
		if twice := again.Metadata(); !reflect.DeepEqual(once, twice) {
			t.Fatalf("%v became %v", once, twice)
		}
	})
}

// TestContractKeys: every key that a full contract writes is listed, and nothing else.
func TestContractKeys(t *testing.T) {
	c := Contract{Version: 1, Domain: "x", Shape: []int{1}, Free: 1, D: 1, SigmaData: 1, SigmaMin: 1, SigmaMax: 2, Rho: 1, Steps: 1,
		Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", Guidance: 2, LabelShares: []float64{1}, Labels: []string{"a"}, License: "l", Source: "s",
		Adapter: []byte("{}"), Training: []byte("{}")}
	meta := c.Metadata()
	for _, k := range ContractKeys() {
		if _, ok := meta[ContractPrefix+k]; !ok {
			t.Errorf("%s is listed but not written", k)
		}
	}
	if len(meta) != len(ContractKeys()) {
		t.Errorf("%d keys written, %d listed", len(meta), len(ContractKeys()))
	}
}
