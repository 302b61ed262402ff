// Package domains says what a kind of data must offer to be generated: reading its files, an adapter between records
// and model space, columns, checks and exports. It holds interfaces and the registry; the domains are below it, and
// package all lists them.
//
// # Adding a domain
//
//  1. Make the package domains/NAME with a doc.go: what a record is, the representation with its shape, the encoding
//     with its mean and deviation, the units of every column, and the sources of the rules.
//  2. Readers for the field's formats go to io/FORMAT when another program could use them: streaming, bounded, fuzzed,
//     knowing neither this package nor the sampler. Errors name file, record and position.
//  3. Write the settings: a struct with everything that decoding and checking need, thresholds included, fields in the
//     order of their JSON names. Open treats it as hostile: bound every size, check every relation, fuzz it.
//  4. Write Load: read, clean, split (the split table first, then the data's own split, else a hash of the record),
//     drop repeats, fit settings to the training part only. What it leaves out goes to Data.Notes with counts; test
//     records are never used.
//  5. Write the adapter in the natural scale of the data, roughly within -1.5 to 1.5; train measures it and brings it to
//     mean 0 and standard deviation 0.5 (Measure.Fit). Free counts independent coordinates: one per undirected edge, and of
//     samples that differ in size those of the largest. Coordinates that a record lacks are exactly 0 and no others are:
//     implement Masked. Channels about pairs of positions: Paired. Decode is total: any values, NaN and infinities included,
//     any label, never a panic. Data.Hints says which noise levels suit, unless the defaults do.
//  6. Write the gates as a []validate.Gate over the package's own row type. Codes are a two-letter prefix and a name,
//     and keep their meaning for ever. A gate that rejects is hard; measure its false-reject rate on held-out records
//     and show in a test that it catches a planted fault.
//  7. Describe everything: inputs, settings, columns with type and unit, checks with their rules, conditions, exports
//     (Exporter, and ExportHeader for files that begin with one).
//  8. Run domainstest.Run over real records in the package's test, and fuzz the parsers.
//  9. Add one line to all.Registry; train a model, and add it with its card to package models.
package domains
