package antibody

import "context"

func (l *loader) place(context.Context) error { return nil }
