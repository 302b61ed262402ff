// Package store keeps the files of a dataset in a directory or in a bucket of an object store. It knows neither what is in
// the files nor which of them make a dataset.
//
// # A file is whole or not there
//
// A file is first written to a temporary file on the local disk, hashed and counted on the way, and then published: in a
// directory by fsync, rename and fsync of the directory, in a bucket by one PUT. Whoever is killed in between leaves a
// temporary file and nothing else: in a directory beside the file to be, with a name that begins with a dot and ends
// in .tmp, and Sweep removes those whose writer is gone; for a bucket in the system's temporary directory.
//
// Datasets are deterministic, so two writers of one name usually have the same bytes. File.Commit leaves a file alone
// that has them already. File.CommitNew never replaces one: of several writers of a name one wins, and the others are told.
//
// Only plain files, renames and links are used, no locks that must hold and no memory maps, so a directory may be on a
// network file system. A lock tells a live temporary file from a dead one where there are locks; where there are none, a
// sweep can take a file away from a living writer, which then fails and can be run again.
package store
