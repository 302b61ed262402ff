package images

import (
	"encoding/json"

	"pfgmgen/domains"
)

// Domain is the domain of pictures. The zero value is ready.
type Domain struct{}

var _ domains.Domain = Domain{}

// Name returns "images".
func (Domain) Name() string { return "images" }

// Open rebuilds an adapter from the settings of a model.
func (Domain) Open(raw json.RawMessage) (domains.Adapter, error) {
	s, err := parseSettings(raw)
	if err != nil {
		return nil, err
	}
	return newAdapter(s), nil
}

// Describe lists what the domain reads, writes and checks.
func (Domain) Describe() domains.Description {
	return domains.Description{
		Name:  "images",
		About: "small pictures, grey or colour, 8 bits a channel",
		Inputs: []string{
			"A folder of PNG and JPEG files, the first folder of a path being the class, perhaps below train, val and test; or a ZIP archive of the same.",
			"IDX (MNIST): train-images-idx3-ubyte, grey, or images-idx4-ubyte with 3 channels last; the labels, a meta.csv (columns split or source_split, and class) and the t10k or val files beside it are found by name. May be gzip-compressed.",
			"CIFAR-10 and CIFAR-100 binary: data_batch_*.bin, or train.bin with its fine labels; class names from batches.meta.txt or fine_label_names.txt.",
			"EDM and StyleGAN: a ZIP archive or folder with dataset.json, whose labels are the classes.",
			"npz: arrays images (or x, data, arr_0) and labels (or y, targets, arr_1), perhaps with train_, val_ and test_; bytes, or floats from 0 to 1; channels last or first.",
			"Parquet: a column image of PNG or JPEG bytes, or struct<bytes, ...> as on the Hugging Face hub, with a column label and perhaps split; a file or a folder of parts.",
			"Folders are searched for IDX, CIFAR and Parquet files by their names, then for pictures. A file's format is seen from its content, CIFAR's from its size.",
		},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns: []domains.Item{
			{Name: "image", About: "struct<bytes: binary, path: string>: PNG, 8 bits a channel, grey or RGB; path is null"},
			{Name: "height", About: "int32: pixels"},
			{Name: "width", About: "int32: pixels"},
			{Name: "channels", About: "int8: 1 (grey) or 3 (RGB)"},
			{Name: "mean", About: "float32: mean of all values, as a share of full scale, 0 to 1"},
			{Name: "std", About: "float32: standard deviation of all values, as a share of full scale"},
			{Name: "min", About: "float32: lowest value, 0 to 1"},
			{Name: "max", About: "float32: highest value, 0 to 1"},
			{Name: "saturated_frac", About: "float32: share of the values that are 0 or full scale"},
			{Name: "entropy_bits", About: "float32: entropy of the histogram of values, 0 to 8 bits"},
			{Name: "tv", About: "float32: mean absolute difference of horizontal and vertical neighbours, as a share of full scale"},
			{Name: "jpeg_bytes", About: "int32: size as JPEG of quality 75, bytes: how complex the picture is"},
		},
		Checks:     append([]domains.Item(nil), checks...),
		Conditions: []string{"class: one label per class of the data, when there are two or more"},
	}
}
