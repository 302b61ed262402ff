// Package all holds the one list of domains that the program uses. A domain does not register itself: it is here, or
// it does not exist.
package all

import (
	"pfgmgen/domains"
	"pfgmgen/domains/antibody"
	"pfgmgen/domains/audio"
	"pfgmgen/domains/graphs"
	"pfgmgen/domains/images"
	"pfgmgen/domains/rna"
)

// Registry lists the domains in the order in which they are shown.
func Registry() domains.Registry {
	return domains.Registry{rna.Domain{}, antibody.Domain{}, graphs.Domain{}, audio.Domain{}, images.Domain{}}
}
