package npy

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A header is the dictionary at the beginning of a file, such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }.
type header struct {
	descr   string // byte order and type, at least 3 bytes
	fortran bool
	shape   []int // each below 2^31
}

// parseHeader reads the Python literal. Keys may come in any order; each must come once and no others.
func parseHeader(text []byte) (*header, error) {
	s := &scanner{rest: string(text)}
	h, seen := new(header), make(map[string]bool)
	if !s.take("{") {
		return nil, s.want("{")
	}
	for !s.take("}") {
		key, err := s.quoted()
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, fmt.Errorf("%.20q comes twice", key)
		}
		seen[key] = true
		if !s.take(":") {
			return nil, s.want(":")
		}
		switch key {
		case "descr":
			h.descr, err = s.quoted()
		case "fortran_order":
			switch {
			case s.take("True"):
				h.fortran = true
			case !s.take("False"):
				err = s.want("True or False")
			}
		case "shape":
			h.shape, err = s.tuple()
		default:
			err = fmt.Errorf("%.20q is none of descr, fortran_order, shape", key)
		}
		if err != nil {
			return nil, err
		}
		if !s.take(",") && !strings.HasPrefix(s.rest, "}") {
			return nil, s.want(", or }")
		}
	}
	if s.rest != "" {
		return nil, s.want("nothing more")
	}
	if len(seen) != 3 {
		return nil, errors.New("want the keys descr, fortran_order and shape")
	}
	if len(h.descr) < 3 {
		return nil, fmt.Errorf("type %q", h.descr)
	}
	return h, nil
}

// A scanner consumes tokens and the white space behind them.
type scanner struct{ rest string }

func (s *scanner) take(token string) bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	after, ok := strings.CutPrefix(s.rest, token)
	if ok {
		s.rest = strings.TrimLeft(after, " \t\r\n")
	}
	return ok
}

func (s *scanner) want(what string) error { return fmt.Errorf("at %.20q: want %s", s.rest, what) }

// quoted is a Python string without escapes.
func (s *scanner) quoted() (string, error) {
	for _, q := range []string{"'", `"`} {
		if s.take(q) {
			inner, after, ok := strings.Cut(s.rest, q)
			if !ok || strings.Contains(inner, `\`) {
				return "", s.want("a plain string")
			}
			s.rest = after
			return inner, nil
		}
	}
	return "", s.want("a quoted string")
}

// tuple is (), (3,) or (3, 4).
func (s *scanner) tuple() ([]int, error) {
	if !s.take("(") {
		return nil, s.want("(")
	}
	out := []int{}
	for !s.take(")") {
		end := 0
		for end < len(s.rest) && s.rest[end] >= '0' && s.rest[end] <= '9' {
			end++
		}
		n, err := strconv.ParseUint(s.rest[:end], 10, 64)
		if err != nil || n > math.MaxInt32 || len(out) == maxDims {
			return nil, s.want(fmt.Sprintf("a dimension below 2^31, and at most %d of them", maxDims))
		}
		s.rest = s.rest[end:]
		s.take("L") // Python 2 wrote long numbers so
		out = append(out, int(n))
		if !s.take(",") && !strings.HasPrefix(s.rest, ")") {
			return nil, s.want(", or )")
		}
	}
	return out, nil
}
