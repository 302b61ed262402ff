// Package servertest finds the programs of the servers that tests start on loopback (setup/server.sh).
package servertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Program is the path of a server's program, s3, gcs or temporal, built first if it must be.
func Program(server string) (string, error) {
	script, err := find(filepath.Join("setup", "server.sh"))
	if err != nil {
		return "", err
	}
	// Before the test's own limit of time ends, which would name no cause.
	ctx, cancel := context.WithTimeout(context.Background(), 9*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, script, server).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("%s %s: %w", script, server, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// find looks for a file of the project in the working directory and those above it.
func find(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("%s is not above the working directory: run the test inside the project", name)
		}
		dir = parent
	}
}
