package audio

import (
	"bytes"

	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/io/wav"
	"pfgmgen/validate"
)

var _ domains.Row = (*row)(nil)

// A row is one decoded sample and what the gates need to know of it. Without samples, and for zeros alone, the
// measurements are 0.
type row struct {
	pcm       []int16
	rate      int
	rms, peak float64 // full scale is 1
	dc        float64
	clipped   float64 // share of samples at full scale
	clipRun   int     // longest run of equal samples at full scale
	silent    float64 // share of silent frames
	crossings float64
	flatness  float64 // mean over the frames
	noisy     float64 // flatness that nine tenths of the frames exceed
	bandwidth float64 // Hz
	clicks    int
	gain      float64 // dB that brought it to the loudness asked for; known while fitting

	finite  bool // of the sample
	key     string
	margin  float32
	verdict validate.Verdict
}

func (r *row) Verdict() validate.Verdict { return r.verdict }

// Confidence has as its margin how well a signal with the spectrogram exists: 1 less the spectral convergence, at least
// 0. Nothing is chosen from an alphabet, so the entropy is 0.
func (r *row) Confidence() (margin, entropy float32) { return r.margin, 0 }

// Key is a hash of the spectrogram, from which the samples follow.
func (r *row) Key() string { return r.key }

// Append fills the columns of adapter.Fields.
func (r *row) Append(b []array.Builder) {
	s := b[0].(*array.StructBuilder)
	s.Append(true)
	s.FieldBuilder(0).(*array.BinaryBuilder).Append(r.wav())
	s.FieldBuilder(1).AppendNull()
	b[1].(*array.Int32Builder).Append(int32(r.rate))
	b[2].(*array.Int32Builder).Append(int32(len(r.pcm)))
	sounds := r.peak > 0
	float := func(i int, ok bool, of func() float64) {
		if ok {
			b[i].(*array.Float32Builder).Append(float32(of()))
		} else {
			b[i].AppendNull()
		}
	}
	float(3, sounds, func() float64 { return toDB(r.peak) })
	float(4, sounds, func() float64 { return toDB(r.rms) })
	float(5, sounds, func() float64 { return r.dc })
	float(6, len(r.pcm) > 0, func() float64 { return r.clipped })
	float(7, sounds, func() float64 { return r.silent })
	float(8, sounds, func() float64 { return toDB(r.peak / r.rms) })
	float(9, sounds, func() float64 { return r.crossings })
	float(10, sounds, func() float64 { return r.flatness })
	float(11, sounds, func() float64 { return r.bandwidth })
	if sounds {
		b[12].(*array.Int32Builder).Append(int32(r.clicks))
	} else {
		b[12].AppendNull()
	}
}

// wav is the row as a file.
func (r *row) wav() []byte {
	samples := make([]float64, len(r.pcm))
	for i, v := range r.pcm {
		samples[i] = float64(v) / (1 << 15) // exact, so that the writer's rounding gives v again
	}
	var b bytes.Buffer
	if err := wav.Write(&b, wav.Sound{Rate: r.rate, Channels: 1, Samples: samples}, wav.PCM16); err != nil {
		panic("audio: " + err.Error()) // one channel, a checked rate, and a buffer: cannot fail
	}
	return b.Bytes()
}
