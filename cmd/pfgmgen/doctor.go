package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains/all"
	"pfgmgen/models"
	"pfgmgen/sampler/ort"
)

func doctorCommand(e *env) *cli.Command {
	var library string
	return &cli.Command{
		Name:      "doctor",
		Usage:     "say what this machine can run",
		UsageText: "pfgmgen doctor [flags]",
		Description: `Looks for ONNX Runtime, computes something small on every kind of device that it knows, and runs each built-in model
once. Ends with 1 when no dataset could be made here.

Example:
  pfgmgen doctor`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "onnxruntime", Category: "what to look at", Usage: "`PATH` of the ONNX Runtime library or its folder", DefaultText: "looked for", Destination: &library},
		},
		Action: action(0, 0, func(ctx context.Context, _ []string) error { return doctor(ctx, e, library) }),
	}
}

// A doctorResult is what pfgmgen doctor --json prints.
type doctorResult struct {
	Version     string         `json:"version"`
	Platform    string         `json:"platform"`
	CPUs        int            `json:"cpus"` // that this process may use
	ONNXRuntime string         `json:"onnxruntime,omitempty"`
	Library     string         `json:"library,omitempty"`
	Devices     []deviceResult `json:"devices"`
	Models      []deviceResult `json:"models"`
	Problem     string         `json:"problem,omitempty"`
}

type deviceResult struct {
	Name    string `json:"name"`
	Works   bool   `json:"works"`
	Problem string `json:"problem,omitempty"`
}

func newDeviceResult(name string, err error) deviceResult {
	if err != nil {
		return deviceResult{Name: name, Problem: err.Error()}
	}
	return deviceResult{Name: name, Works: true}
}

func (d deviceResult) text() string {
	if d.Works {
		return "works"
	}
	return "no: " + strings.ReplaceAll(d.Problem, "\n", " ")
}

// doctor is pfgmgen doctor.
func doctor(ctx context.Context, e *env, library string) error {
	res := doctorResult{Version: buildVersion(), Platform: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Devices: []deviceResult{}, Models: []deviceResult{}}
	rt, err := ort.Load(library)
	var failed []error
	if err != nil {
		failed = append(failed, err)
	} else {
		res.ONNXRuntime, res.Library = rt.Version(), rt.Path()
		for _, p := range rt.Probe() {
			res.Devices = append(res.Devices, newDeviceResult(p.Device.String(), p.Err))
		}
		for _, b := range models.List() {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := tryModel(rt, b)
			res.Models = append(res.Models, newDeviceResult(b.Name, err))
			if err != nil {
				failed = append(failed, fmt.Errorf("model %s: %w", b.Name, err))
			}
		}
	}
	failure := errors.Join(failed...)
	if failure != nil {
		res.Problem = failure.Error()
	}
	err = e.print(res, func(w io.Writer) error {
		rows := [][2]string{{"pfgmgen", version()}, {"CPUs", fmt.Sprint(res.CPUs)}, {"ONNX Runtime", "not found"}}
		if rt != nil {
			rows[2][1] = fmt.Sprintf("%s, %s", res.ONNXRuntime, res.Library)
		}
		for _, d := range res.Devices {
			rows = append(rows, [2]string{"device " + d.Name, d.text()})
		}
		for _, m := range res.Models {
			rows = append(rows, [2]string{"model " + m.Name, m.text()})
		}
		return table(w, rows)
	})
	if err != nil {
		return err
	}
	return failure
}

// tryModel opens a built-in model, which computes a small batch with it.
func tryModel(rt *ort.Runtime, b models.Model) error {
	m := builtIn(b)
	if err := m.open(all.Registry(), b.Domain); err != nil {
		return err
	}
	den, err := rt.Open(m.bytes, ort.SessionOptions{})
	if err != nil {
		return err
	}
	return den.Close()
}
