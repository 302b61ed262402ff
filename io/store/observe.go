package store

import "context"

// Events of a file, in the order in which they happen.
const (
	Created   = "created"   // a temporary file is there
	Flushed   = "flushed"   // it is whole, and about to get its name
	Published = "published" // the file is there under its name
	Removed   = "removed"
)

// Observe returns s, but see is told of every change to a file as it happens. It is how tests stop a process at each of
// the moments that matter.
func Observe(s Store, see func(event, name string)) Store { return observed{s, see} }

type observed struct {
	Store
	see func(event, name string)
}

func (o observed) Create(name string) (*File, error) {
	f, err := o.Store.Create(name)
	if err != nil {
		return nil, err
	}
	o.see(Created, name)
	publish := f.publish
	f.publish = func(ctx context.Context, onlyNew bool, before func() error) error {
		o.see(Flushed, name)
		if err := publish(ctx, onlyNew, before); err != nil {
			return err
		}
		o.see(Published, name)
		return nil
	}
	return f, nil
}

func (o observed) Remove(ctx context.Context, name string) error {
	if err := o.Store.Remove(ctx, name); err != nil {
		return err
	}
	o.see(Removed, name)
	return nil
}
