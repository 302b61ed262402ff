// Package stft holds the short-time Fourier transform of real signals, its least-squares inverse, and the fast
// Griffin-Lim algorithm, which finds a signal for a spectrogram of magnitudes.
//
// # Frames
//
// A frame has n samples under the periodic Hann window w[i] = sin(pi i/n)^2, and frames are hop samples apart. Frame f
// covers the samples f*hop-n/2 to f*hop+n/2-1 of the signal, so frame 0 is centred on sample 0; what lies outside of the
// signal is zero. F frames stand for a signal of (F-1)*hop samples. A spectrum has n/2+1 bins, from 0 Hz to half of the
// sampling rate, and is not scaled: a sine of amplitude 1 in the middle of a bin has magnitude n/4 there.
//
// # Sources
//
// The inverse is the least-squares one of Griffin and Lim (1984): overlap-add of the windowed frames, divided by the sum of
// the squared windows. The fast iteration is that of Perraudin, Balazs and Søndergaard (WASPAA 2013). The start is the
// single-pass inversion of Beauregard, Harish and Wyse (DSP 2015): around each peak of a frame all bins turn like one
// sinusoid of the peak's interpolated frequency. Griffin-Lim from there needs fewer rounds than from zero or random
// phases, and nothing is drawn.
package stft
