package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// A console is stderr: lines, and on a terminal a progress bar that stays below them. Safe for concurrent use.
type console struct {
	mu  sync.Mutex
	w   io.Writer
	tty bool
	bar string
}

func newConsole(w io.Writer) *console {
	f, ok := w.(*os.File)
	return &console{w: w, tty: ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"}
}

const clearLine = "\r\x1b[K"

// Write writes whole lines above the bar.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == "" {
		return c.w.Write(p)
	}
	if _, err := fmt.Fprintf(c.w, "%s%s%s", clearLine, p, c.bar); err != nil {
		return 0, err
	}
	return len(p), nil
}

// setBar shows a bar, or removes it when text is empty. Off a terminal it does nothing.
func (c *console) setBar(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.tty || c.bar == "" && text == "" {
		return
	}
	if width := c.width(); len(text) >= width {
		text = text[:max(0, width-1)] // a bar that wraps cannot be removed
	}
	c.bar = text
	fmt.Fprint(c.w, clearLine+text)
}

func (c *console) width() int {
	if f, ok := c.w.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 80
}

// plainHandler is the slog handler for people: the message, then key=value.
type plainHandler struct {
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
	group string
}

var _ slog.Handler = (*plainHandler)(nil)

func (h *plainHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

func (h *plainHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("pfgmgen: error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("pfgmgen: warning: ")
	}
	b.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s%s=%v", h.group, a.Key, a.Value)
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	b.WriteByte('\n')
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *plainHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	n := *h
	n.attrs = append(append([]slog.Attr(nil), h.attrs...), attrs...)
	return &n
}

func (h *plainHandler) WithGroup(name string) slog.Handler {
	n := *h
	n.group += name + "."
	return &n
}
