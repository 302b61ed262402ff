// Package dataset writes, reads and verifies the datasets that pfgmgen makes: Parquet or Arrow parts, the manifest,
// the dataset card and the Croissant description. It knows Arrow and files, and no domain.
//
// # Format version 1
//
//	out/
//	  README.md                  dataset card with the front matter that the Hugging Face hub reads
//	  croissant.json             MLCommons Croissant 1.1 (optional)
//	  manifest.json              the commit record, see [Manifest]
//	  data/train-00000.parquet   parts: consecutive ranges of sample_index, rows in rising order
//	  fasta/train-00000.fasta    exports in plain formats, when asked for
//	  _SUCCESS                   empty, written last
//	  _pfgmgen/plan.json         the plan of the run, written first; it marks the place as ours
//	  _pfgmgen/about.json        what finalizing needs beside the plan, the caller's
//	  _pfgmgen/shard-00000.json  the record of a finished shard, see [ShardRecord]
//	  _pfgmgen/shard-00000.keys  8 bytes for each of its rows, equal for equal content, by which distinct rows are counted
//
// The place is a directory or a bucket, see package store. Whoever reads the manifest may trust it; whoever globs
// data/train-* gets whole files only. A crash leaves temporary files and nothing else; the next [Create] or [WritePlan] in
// the same place removes those whose writer is gone. _SUCCESS is taken away before a part is replaced by different bytes,
// so its presence says that all the files are those of one finished run.
//
// # The journal
//
// The plan and the records are all that a run knows. A shard's exports, part and keys are durable before its record is
// written, so a shard with a record is finished, and one without is to be made: [ReadState] says which, and looks whether
// the files are still as recorded. The manifest, the card and the Croissant description follow from the plan, about.json
// and the records alone. So any process can go on with a run, or finish it, at any time; several can do it at once; and
// since samples depend on the plan alone, whoever makes a file makes the same bytes.
//
// A part's name and bytes do not say how many parts there are. So a dataset grows by making the shards that it lacks, the last
// one anew when it was not full, under a plan with more samples, which takes _SUCCESS and the manifest away first.
//
// # Parts
//
// The column sample_index (int64, never null, strictly rising) is required; all other columns are the caller's. Every
// field, nested ones included, must be nullable, because Hugging Face features apply only to equal Arrow types and its
// types are always nullable. Types are bool, the integers, float32, float64, utf8, binary, and lists and structs of
// these; a FixedSizeList is refused, because arrow v15 writes its values as nulls. No part has zero rows. Column
// names are letters, digits and underscores and differ in more than case.
//
// Field metadata steer how a column is written, so that a domain need not know this package:
//
//	pfgmgen.dictionary     "true": few distinct values, write a dictionary (label, domain, family, violations and
//	                       warnings have one without asking)
//	pfgmgen.feature        "Image" or "Audio": a struct<bytes: binary, path: utf8> that viewers show or play
//	pfgmgen.sampling_rate  of an Audio column, in Hz
//	pfgmgen.about          what the column holds, one sentence with its unit, for the card and Croissant
//
// Parquet: required root (with the default, repeated, several readers fail), data pages version 1, zstd level 3, no
// dictionary but for the columns above, no compression and no statistics for blobs, row groups of at most 64 MiB of
// content and 1,048,576 rows, created_by "pfgmgen", and the footer keys huggingface, pfgmgen.run_id,
// pfgmgen.spec_sha256 (of the plan without its number of samples), pfgmgen.model_sha256, pfgmgen.seed, pfgmgen.shard and pfgmgen.version. The bytes of a part depend
// on its rows and options alone, not on the sizes of the batches they came in: rows are regrouped into chunks whose
// ends are a function of the rows.
//
// Arrow: the IPC file format with the same schema and key-values, uncompressed, one record batch per chunk.
//
// # Content of a column
//
// The manifest keeps for every part and column the number of values that are not null and a SHA-256 of the content,
// which does not depend on the file format, the row groups or the library. It is taken over the rows in order, each value
// written as
//
//	null     00
//	bool     01, then 00 or 01
//	integer  01, then 8 bytes, two's complement, little endian, whatever the width of the type
//	float32  01, then 4 bytes IEEE 754, little endian, NaN always as 7fc00000
//	float64  01, then 8 bytes, NaN as 7ff8000000000000
//	utf8     01, then the length in bytes as 4 bytes little endian, then the bytes; binary the same
//	list     01, then the number of elements as 4 bytes little endian, then each element
//	struct   01, then each field in order
//
// The writer computes it from Arrow memory, [VerifyParts] from what xitongsys/parquet-go reads back: a writer does not
// mark its own homework. The sum of these lengths is content_bytes, and also what the row-group budget counts.
package dataset
