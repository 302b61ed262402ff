// Package audio is the domain of short mono recordings, such as spoken words.
//
// # Loading
//
// Load takes these steps, and says in Data.Notes what each of them left out:
//
//  1. Read every folder, zip, WAV file and JSON-lines file (read.go, layout.go). Channels are averaged, other sampling
//     rates brought to the one of the model by a windowed sinc (resample.go), and each recording becomes a spectrogram of
//     levels (encode.go), from its onset to its end.
//  2. Split by the split table (by id, the path below the folder or in the zip), by the data's own split (folders train,
//     valid and test, the lists of Speech Commands, takes of the free spoken digits), or by a hash of the speaker, or of the
//     spectrogram when names say no speaker, that holds out about a tenth. Test records are never used.
//  3. Choose the number of frames, the smallest multiple of 4 that takes 99 % of the training clips, and leave out what is
//     longer.
//  4. Drop exact repeats, and training clips that are held out or test records too.
//  5. Name the classes, by folder, by name or by speaker.
//  6. Measure mean and deviation of each bin, and the thresholds of the gates, on the training part.
//
// # Representation
//
// The tensor is [frames, 128]: levels of the short-time Fourier transform with 256 samples under a Hann window, every 128.
// Of its 129 bins the lowest, 0 Hz, is left out; the mean of the recording is taken off before. Frame f is centred on sample
// 128 f.
//
// A level is decibels below the loudest point of the clip, from 0 to -50, in 255 steps of 0.196 dB; what is more than 47 dB
// below is silence, the lowest level, and has magnitude 0 when decoded. A clip begins 2 frames before the first one with an
// energy of -35 dB of the loudest frame's, and ends 1 frame after the last one with -40 dB; what follows is silence. So
// onsets stand at one place, loudness is not in the data, and neither is the background before and after the word.
//
// In each bin a level in decibels over the floor, less the mean of the bin over the training clips, is divided by twice the
// bin's deviation, or by 12 dB where that is more. The mean is then 0 and the deviation 0.5 or a little less. Every coordinate
// is free, silence included.
//
// # Decoding
//
// Values are rounded to levels, the levels are made a signal by 24 rounds of fast Griffin-Lim with momentum 0.99
// (internal/stft), brought to -20 dBFS root mean square unless the peak would then be over -1 dBFS or the gain 6 dB over the
// highest one of a training clip, and cut after the last sample of -60 dBFS. Phases are not random: equal levels give equal
// samples. For the free spoken digits the magnitudes of the signal come to -28 dB of those asked for, in about 6 ms of one
// core. An outside classifier of digits (support vectors on log-mel) is right about 98.7 % of the 300 test recordings, and about
// 99.0 % of them after encoding and decoding.
//
// # Checks
//
// The thresholds of the warnings are measured on 512 training clips after encoding and decoding, since that is what they
// judge. Of the 420 recordings of takes 0 to 6, as they were recorded, hard gates reject none; 17 get AU_SILENT_FRAC and 9
// AU_LEN, being softer or with more silence around them than decoded ones ever have, and 2 AU_NOISE. After encoding and
// decoding no gate says anything about them.
//
// # Units and sources
//
// dBFS are decibels relative to full scale, which for a root mean square is that of a square wave, so a sine at full scale
// has -3. The gates are those that this field complains about: silence, which distances between sets do not see, noise,
// clicks, clipping, offsets. The set metrics are not here.
package audio
