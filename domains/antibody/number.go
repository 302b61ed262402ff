package antibody

import "context"

// loci in the order of the profiles.
var loci = [3]string{"IGH", "IGK", "IGL"}

func (l *loader) place(context.Context) error { return nil }
