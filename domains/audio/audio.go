package audio

import (
	"encoding/json"

	"pfgmgen/domains"
)

// Domain is the audio domain. The zero value is ready.
type Domain struct{}

var _ domains.Domain = Domain{}

// Name returns "audio".
func (Domain) Name() string { return "audio" }

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
		Name:  "audio",
		About: "short mono recordings, such as spoken words, as log-magnitude spectrograms; phases by fast Griffin-Lim",
		Inputs: []string{
			"WAV: PCM with 8, 16, 24 or 32 bits, float with 32 or 64, also extensible; channels are averaged, other rates resampled.",
			"A folder of WAV files, searched to any depth; folders are classes, folders train, valid and test the split.",
			"A zip of WAV files, read like a folder.",
			"Names of the form class_speaker_take.wav (free spoken digits): takes 0 to 4 are test, 5 and 6 held out.",
			"Speech Commands: validation_list.txt and testing_list.txt are the split, _background_noise_ is left out.",
			"JSON lines (.jsonl): file_name, and optionally label and split, beside the WAV files that they name.",
		},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns: []domains.Item{
			{Name: "audio", About: "struct<bytes, path>: a WAV file, mono PCM with 16 bits; path is null"},
			{Name: "sample_rate", About: "int32: Hz"},
			{Name: "n_samples", About: "int32: length after silence at the end (below -60 dBFS) is cut off"},
			{Name: "peak_dbfs", About: "float32: highest absolute sample, dB relative to full scale; null for digital silence, as all below but clip_frac"},
			{Name: "rms_dbfs", About: "float32: root mean square, dB relative to full scale"},
			{Name: "dc_offset", About: "float32: mean of the samples, full scale is 1"},
			{Name: "clip_frac", About: "float32: share of the samples at full scale, 0 to 1; null without samples"},
			{Name: "silent_frac", About: "float32: share of the frames of 10 ms with a root mean square below -60 dBFS, 0 to 1"},
			{Name: "crest_db", About: "float32: peak over root mean square, dB"},
			{Name: "zero_cross_rate", About: "float32: changes of sign per sample, 0 to 1"},
			{Name: "spectral_flatness", About: "float32: geometric over arithmetic mean of the power spectrum, mean over frames of 256 samples that are not silent; 0 a tone, towards 0.56 white noise"},
			{Name: "bandwidth_hz", About: "float32: frequency below which 99 % of the energy lies, Hz"},
			{Name: "click_count", About: "int32: places where the second difference exceeds 12 times the local root mean square (256 samples)"},
		},
		Checks:     append([]domains.Item(nil), checks...),
		Conditions: []string{"class: one class per folder or label, when the data have two or more", "speaker: with condition=speaker and names that have speakers"},
	}
}
