package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"pfgmgen/io/dataset"
	"pfgmgen/models"
	"pfgmgen/pipeline"
)

func inspectCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "inspect",
		Usage:     "say what a model or a dataset is",
		UsageText: "pfgmgen inspect PATH|URL|NAME [flags]",
		Description: `For a directory or a bucket: the dataset in it, as its manifest has it. For an ONNX file or the name of a built-in
model: what the model is for, its contract and its ports. Nothing is computed and ONNX Runtime is not needed.

Examples:
  pfgmgen inspect out/rna
  pfgmgen inspect mine.onnx --json
  pfgmgen inspect rna-trna`,
		Action: action1(e, inspect),
	}
}

// action1 is the action of a command with one argument.
func action1(e *env, f func(ctx context.Context, e *env, arg string) error) cli.ActionFunc {
	return action(1, 1, func(ctx context.Context, args []string) error { return f(ctx, e, args[0]) })
}

// inspect is pfgmgen inspect.
func inspect(ctx context.Context, e *env, path string) error {
	info, err := os.Stat(path)
	switch {
	case strings.Contains(path, "://"):
		return inspectDataset(ctx, e, path)
	case err != nil:
		if _, builtErr := models.Get(path); builtErr != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("inspect: %w", err)
		}
	case info.IsDir():
		return inspectDataset(ctx, e, path)
	case filepath.Base(path) == "manifest.json":
		return inspectDataset(ctx, e, filepath.Dir(path))
	case isPart(path):
		return fmt.Errorf("%s is one part; give the directory of the dataset", path)
	}
	return inspectModel(ctx, e, path)
}

// isPart says whether a file begins as Parquet or Arrow files do.
func isPart(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 6)
	n, _ := io.ReadFull(f, head)
	return bytes.HasPrefix(head[:n], []byte("PAR1")) || bytes.Equal(head[:n], []byte("ARROW1"))
}

// inspectDataset prints what the manifest says.
func inspectDataset(ctx context.Context, e *env, dir string) error {
	st, err := e.openPlace(ctx, dir)
	if err != nil {
		return err
	}
	defer st.Close()
	m, err := readManifest(ctx, st)
	if err != nil {
		return err
	}
	return e.print(m, func(w io.Writer) error {
		var bytes int64
		for _, p := range m.Parts {
			bytes += p.Bytes
		}
		rows := [][2]string{
			{"dataset", dir},
			{"run", m.RunID + ", " + m.Created},
			{"domain", m.Domain},
			{"model", fmt.Sprintf("%s, sha256 %.12s", m.Model.Name, m.Model.SHA256)},
			{"rows", fmt.Sprintf("%s of %s samples, %s valid, %s draws", number(m.Counts.Written), number(m.Counts.Asked), number(m.Counts.Valid), number(m.Counts.Attempts))},
			{"rejected", codes(m.Counts.Rejected)},
			{"warnings", codes(m.Counts.Warned)},
		}
		for _, name := range []string{"valid_share", "distinct_share"} {
			if v, ok := m.Metrics[name]; ok {
				rows = append(rows, [2]string{strings.ReplaceAll(name, "_", " "), percent(v)})
			}
		}
		rows = append(rows, [2]string{"files", fmt.Sprintf("%s, %s, %s", plural(len(m.Parts), m.Format+" part"), size(bytes), plural(len(m.Exports), "export"))})
		if plan, err := pipeline.ParsePlan(m.Settings); err == nil {
			rows = append(rows,
				[2]string{"settings", fmt.Sprintf("seed %d, %s, %d steps, sigma %g to %g, rho %g, guidance %g, batch %d, %s", plan.Seed, plan.Solver, plan.Steps,
					plan.SigmaMax, plan.SigmaMin, plan.Rho, plan.Guidance, plan.Batch, plan.Provider)},
				[2]string{"labels", labelsText(plan)})
		}
		if err := table(w, rows); err != nil {
			return err
		}
		fmt.Fprintln(w, "\ncolumns")
		return table(w, columnRows(m.Columns))
	})
}

func columnRows(columns []dataset.Column) [][2]string {
	var rows [][2]string
	for _, c := range columns {
		rows = append(rows, [2]string{"  " + c.Name, strings.TrimSuffix(c.Type+"  "+c.About, "  ")})
	}
	return rows
}
