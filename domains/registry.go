package domains

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnknown is returned for a domain that a registry does not hold.
var ErrUnknown = errors.New("unknown domain")

// ErrSetting is wrapped by Domain.Load for a name or a value in LoadOptions.Settings that it does not know.
var ErrSetting = errors.New("setting")

// A Registry is an ordered list of domains. domains/all makes the one that the program uses.
type Registry []Domain

// Names lists the domains in order.
func (r Registry) Names() []string {
	names := make([]string, len(r))
	for i, d := range r {
		names[i] = d.Name()
	}
	return names
}

// Get returns the domain called name. The error wraps ErrUnknown and lists the names there are.
func (r Registry) Get(name string) (Domain, error) {
	for _, d := range r {
		if d.Name() == name {
			return d, nil
		}
	}
	return nil, fmt.Errorf("domains: %w %q, want one of %s", ErrUnknown, name, strings.Join(r.Names(), ", "))
}
