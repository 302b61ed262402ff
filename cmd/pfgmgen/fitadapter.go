package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains"
	"pfgmgen/domains/all"
	"pfgmgen/validate"
)

// fitOptions are the settings of `pfgmgen fit-adapter`.
type fitOptions struct {
	domain   string
	data     []string
	split    string
	settings map[string]string
	model    string // compare with this one
}

func fitAdapterCommand(e *env) *cli.Command {
	var o fitOptions
	var data, settings cli.StringSlice
	return &cli.Command{
		Name:      "fit-adapter",
		Usage:     "measure data: shape, scale, and what the checks say of real records",
		UsageText: "pfgmgen fit-adapter --domain NAME --data FILE [--model NAME|FILE] [flags]",
		Description: `Reads data as "train" does and prints what a model of them would be: the shape of a sample, N, the offset and the scale
that bring the training part to mean 0 and deviation 0.5, the classes, and how many held-out records each check finds at
fault after they were encoded and decoded. "train" does the same by itself; here nothing is trained or written.

With --model the data are compared with what the model learnt from. A mean or deviation that is more than 10 % off is
refused (exit 1): the model was made for other data.

  pfgmgen fit-adapter --domain rna --data seqs.fa
  pfgmgen fit-adapter --domain rna --data seqs.fa --model mine.onnx`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "domain", Usage: "`NAME` of the kind of data; pfgmgen domains lists them", EnvVars: environ("domain"), Destination: &o.domain},
			&cli.StringSliceFlag{Name: "data", Usage: "`FILE` to read; repeat it for more files", Destination: &data},
			&cli.StringFlag{Name: "split", Usage: "`TABLE` (TSV) with id or sequence, and split (train, valid, test), for data that do not say", Destination: &o.split},
			&cli.StringSliceFlag{Name: "set", Usage: "a choice of the domain, `NAME=VALUE`; pfgmgen domains NAME lists them", Destination: &settings},
			&cli.StringFlag{Name: "model", Usage: "model to compare with, `NAME|FILE`", Destination: &o.model},
		},
		Action: action(0, 0, func(ctx context.Context, _ []string) error {
			o.data = data.Value()
			var err error
			if o.settings, err = pairs(settings.Value()); err != nil {
				return err
			}
			return fitAdapter(ctx, e, all.Registry(), o)
		}),
	}
}

// A fitResult is what `pfgmgen fit-adapter --json` prints.
type fitResult struct {
	Domain      string             `json:"domain"`
	Shape       []int              `json:"shape"`
	Free        int                `json:"n"`
	Labels      []string           `json:"labels,omitempty"`
	LabelShares []float64          `json:"label_shares,omitempty"`
	Train       int                `json:"train_records"`
	Valid       int                `json:"valid_records"`
	Mean        float64            `json:"mean"`      // on the adapter's scale
	Deviation   float64            `json:"deviation"` // on the adapter's scale
	Offset      float64            `json:"offset"`
	Scale       float64            `json:"scale"`
	HeldOut     map[string]float64 `json:"held_out_checks"` // share of the held-out records that a check finds at fault
	HeldOutPass float64            `json:"held_out_valid"`
	Model       string             `json:"model,omitempty"`
	Mismatch    string             `json:"mismatch,omitempty"`
	Notes       []string           `json:"notes,omitempty"`
	Settings    json.RawMessage    `json:"adapter"`
}

// errMismatch ends fit-adapter when the data do not fit the model.
var errMismatch = errors.New("the data do not fit the model")

// loadData loads data of a domain as train and fit-adapter take them.
func loadData(ctx context.Context, registry domains.Registry, name string, o domains.LoadOptions) (*domains.Data, error) {
	switch {
	case name == "":
		return nil, usageErrorf("say what kind of data they are: --domain NAME; there are %s", strings.Join(registry.Names(), ", "))
	case !slices.Contains(registry.Names(), name):
		return nil, usageErrorf("--domain %q is not known%s; there are %s", name, didYouMean(name, registry.Names(), ""), strings.Join(registry.Names(), ", "))
	case len(o.Paths) == 0:
		return nil, usageErrorf("say what to read: --data FILE")
	}
	domain, err := registry.Get(name)
	if err != nil {
		return nil, usageError{err}
	}
	data, err := domain.Load(ctx, o)
	if errors.Is(err, domains.ErrSetting) {
		return nil, usageErrorf("--set: %w%s", err, meantSetting(o.Settings, domain.Describe().Settings))
	}
	return data, err
}

// coordinates is the number of numbers of one sample.
func coordinates(a domains.Adapter) int {
	n := 1
	for _, d := range a.Shape() {
		n *= d
	}
	return n
}

func fitAdapter(ctx context.Context, e *env, registry domains.Registry, o fitOptions) error {
	var m *model
	var err error
	if o.model != "" {
		if m, err = findModel(registry, o.domain, o.model); err != nil {
			return err
		}
		o.domain = m.contract.Domain
	}
	data, err := loadData(ctx, registry, o.domain, domains.LoadOptions{Paths: o.data, Split: o.split, Settings: o.settings})
	if err != nil {
		return err
	}
	masked, _ := maskOf(data.Adapter)
	size := coordinates(data.Adapter)
	measured, err := domains.MeasureExamples(data.Train, size, masked)
	if err != nil {
		return err
	}
	scale, err := measured.Fit()
	if err != nil {
		return err
	}
	r := fitResult{
		Domain: o.domain, Shape: data.Adapter.Shape(), Free: data.Adapter.Free(), Labels: data.Adapter.Labels(),
		LabelShares: labelShares(data.Train, size, len(data.Adapter.Labels())), Train: data.Train.Len(), Valid: data.Valid.Len(),
		Mean: measured.Mean, Deviation: measured.Deviation, Offset: scale.Offset, Scale: scale.Scale, Model: o.model,
		Notes: data.Notes, Settings: data.Adapter.Settings(),
	}
	if r.HeldOut, r.HeldOutPass, err = heldOut(ctx, data, size); err != nil {
		return err
	}
	if m != nil {
		if err := m.fits(data, measured); err != nil {
			r.Mismatch = err.Error()
		}
	}
	if err := e.print(r, r.print); err != nil {
		return err
	}
	if r.Mismatch != "" {
		return fmt.Errorf("%w %s: %s", errMismatch, m.name, r.Mismatch)
	}
	return nil
}

// fits says whether data are like those that the model learnt from.
func (m *model) fits(data *domains.Data, measured domains.Measure) error {
	if !slices.Equal(m.contract.Shape, data.Adapter.Shape()) {
		return fmt.Errorf("its samples have the shape %v, these data %v; the data or the settings (--set) differ", m.contract.Shape, data.Adapter.Shape())
	}
	if !slices.Equal(m.contract.Labels, data.Adapter.Labels()) {
		return fmt.Errorf("its classes are %s, those of these data %s", listOr(m.contract.Labels, "none"), listOr(data.Adapter.Labels(), "none"))
	}
	if len(m.contract.Offset) != 1 || len(m.contract.Scale) != 1 {
		return nil // each coordinate has its own scale, which one mean and deviation do not show
	}
	return measured.Check(domains.Scale{Offset: m.contract.Offset[0], Scale: m.contract.Scale[0]})
}

// heldOut encodes and decodes the held-out records and says for each check which share it finds at fault.
func heldOut(ctx context.Context, data *domains.Data, size int) (shares map[string]float64, valid float64, err error) {
	var t validate.Tally
	x := make([]float64, size)
	for i := range data.Valid.Len() {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		label := data.Valid.Encode(x, i)
		t.Add(data.Adapter.Decode(x, label).Verdict())
	}
	shares = make(map[string]float64)
	for code, n := range t.ByCode {
		shares[code] = float64(n) / float64(t.Rows)
	}
	return shares, float64(t.Valid) / float64(max(t.Rows, 1)), nil
}

func (r fitResult) print(w io.Writer) error {
	labels := "none"
	if len(r.Labels) > 0 {
		labels = fmt.Sprintf("%d: %s", len(r.Labels), strings.Join(r.Labels, ", "))
	}
	rows := [][2]string{
		{"domain", r.Domain},
		{"records", fmt.Sprintf("%s to learn from, %s held out", number(int64(r.Train)), number(int64(r.Valid)))},
		{"sample", fmt.Sprintf("shape %v, N %d free coordinates", r.Shape, r.Free)},
		{"as encoded", fmt.Sprintf("mean %.4f, deviation %.4f", r.Mean, r.Deviation)},
		{"model space", fmt.Sprintf("%.6g * (encoded - %.6g): mean 0, deviation %g", r.Scale, r.Offset, domains.SigmaData)},
		{"labels", labels},
	}
	for _, n := range r.Notes {
		rows = append(rows, [2]string{"note", n})
	}
	if r.Valid > 0 {
		rows = append(rows, [2]string{"held-out records", fmt.Sprintf("%.2f %% pass every hard check", 100*r.HeldOutPass)})
		var codes []string
		for code := range r.HeldOut {
			codes = append(codes, code)
		}
		slices.Sort(codes)
		for _, code := range codes {
			rows = append(rows, [2]string{"  " + code, fmt.Sprintf("%.2f %%", 100*r.HeldOut[code])})
		}
	}
	if r.Model != "" && r.Mismatch == "" {
		rows = append(rows, [2]string{"model", fmt.Sprintf("%s was made for such data", r.Model)})
	}
	return table(w, rows)
}
