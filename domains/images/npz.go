package images

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/io/npy"
)

// Names of arrays in an npz file, besides the name of a part: train_images, x_test.
var (
	imageNames = []string{"images", "image", "imgs", "x", "data", "samples", "arr_0"}
	labelNames = []string{"labels", "label", "y", "targets", "classes", "arr_1"}
)

// arrayRole says what an array holds by its name: pictures or labels, and of which part.
func arrayRole(name string) (part string, isImages, isLabels bool) {
	words := strings.Split(strings.ToLower(name), "_")
	words = slices.DeleteFunc(words, func(w string) bool {
		p := partName(w)
		if p == "" || part != "" {
			return false
		}
		part = p
		return true
	})
	rest := strings.Join(words, "_")
	return part, slices.Contains(imageNames, rest), slices.Contains(labelNames, rest)
}

// readArrays adds the pictures of an npz file: arrays of pictures with the labels of the same part.
func (in *input) readArrays(a *npy.Archive, path string) error {
	pictures, labels := make(map[string]string), make(map[string]string)
	var parts []string
	for _, name := range a.Names() {
		part, isImages, isLabels := arrayRole(name)
		for _, role := range []struct {
			is bool
			to map[string]string
		}{{isImages, pictures}, {isLabels, labels}} {
			if !role.is {
				continue
			}
			if old, ok := role.to[part]; ok {
				return fmt.Errorf("images: %s: the arrays %.40q and %.40q could be the same thing; leave one out", path, old, name)
			}
			role.to[part] = name
		}
		if isImages {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return fmt.Errorf("images: %s: no array of pictures (%s, perhaps with train_, val_ or test_); there are %.400q",
			path, strings.Join(imageNames, ", "), a.Names())
	}
	before := len(in.records)
	for _, part := range parts {
		if err := in.readArrayPair(a, path, part, pictures[part], labels[part]); err != nil {
			return err
		}
	}
	in.source(path, "npz", before)
	return nil
}

func (in *input) readArrayPair(a *npy.Archive, path, part, pictures, labels string) error {
	where := fmt.Sprintf("images: %s: array %.40q", path, pictures)
	x, err := a.Read(pictures, maxBytes)
	if err != nil {
		return fmt.Errorf("images: %s: %w", path, err)
	}
	height, width, channels, first, err := layout(x.Dims)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	pix, err := levelsOf(x)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var y *npy.Array
	if labels == "" {
		in.note("array %s: no array of labels beside it", pictures)
	} else if y, err = a.Read(labels, maxBytes); err != nil {
		return fmt.Errorf("images: %s: %w", path, err)
	} else if y.Len() != x.Dims[0] {
		return fmt.Errorf("images: %s: array %.40q has shape %v, want one label for each of the %d pictures", path, labels, y.Dims, x.Dims[0])
	}
	size := channels * height * width
	for i := range x.Dims[0] {
		values := pix[i*size : (i+1)*size : (i+1)*size]
		r := record{id: strconv.Itoa(i), split: part, picture: picture{height, width, channels, values}}
		if part != "" {
			r.id = part + "/" + r.id
		}
		if !first {
			r.picture = planar(values, height, width, channels)
		}
		if y != nil {
			label, ok := y.Int(i)
			if !ok {
				return fmt.Errorf("images: %s: array %.40q is of type %s, want integers", path, labels, y.Type)
			}
			r.class = strconv.FormatInt(label, 10)
		}
		if err := in.add(fmt.Sprintf("%s: array %s: picture %d", path, pictures, i), r); err != nil {
			return err
		}
	}
	return nil
}

// layout reads a shape: pictures x height x width, perhaps with 1 or 3 channels at the end or behind the first.
func layout(dims []int) (height, width, channels int, channelsFirst bool, err error) {
	isChannels := func(n int) bool { return n == 1 || n == 3 }
	switch {
	case slices.Contains(dims, 0):
	case len(dims) == 3:
		return dims[1], dims[2], 1, false, nil
	case len(dims) == 4 && isChannels(dims[3]):
		return dims[1], dims[2], dims[3], false, nil
	case len(dims) == 4 && isChannels(dims[1]):
		return dims[2], dims[3], dims[1], true, nil
	}
	return 0, 0, 0, false, fmt.Errorf("shape %v, want pictures x height x width, with 1 or 3 channels at the end or behind the first", dims)
}

// levelsOf returns the values as levels: bytes as they are, floats from 0 to 1 rounded to the nearest of 255.
func levelsOf(x *npy.Array) ([]byte, error) {
	switch x.Type {
	case "u1":
		return x.Data, nil
	case "f4", "f8":
	default:
		return nil, fmt.Errorf("values of type %s, want bytes (u1), or floats (f4, f8) from 0 to 1", x.Type)
	}
	out := make([]byte, x.Len())
	for i := range out {
		v, _ := x.Float(i)
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("value %d is %v: floats must be from 0 to 1, or save bytes from 0 to 255", i, v)
		}
		out[i] = byte(math.Floor(v*255 + 0.5))
	}
	return out, nil
}
