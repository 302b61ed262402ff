// Package wav reads and writes RIFF WAVE files.
//
// Read: PCM with 8 (unsigned), 16, 24 and 32 bits, IEEE float with 32 and 64 bits, WAVE_FORMAT_EXTENSIBLE around either,
// any number of channels up to MaxChannels. Chunks other than "fmt " and "data" are skipped, whatever they hold. A
// data chunk whose size is 0xFFFFFFFF, as programs leave it that write to a pipe, goes to the end of the file; one that
// is cut off is an error. Samples are scaled so that full scale is 1: PCM of b bits is divided by 2^(b-1), floats
// are taken as they are.
//
// Written: PCM with 16 bits, or float with 32. PCM is rounded to nearest, halves to even, and limited to -32768 to 32767.
//
// Compressed formats (A-law, ADPCM, MP3 in WAV), RIFX, RF64 and W64 are refused by name. Errors say the offset in
// bytes, what was found there and what was expected. The layout is that of Microsoft and IBM, "Multimedia Programming
// Interface and Data Specifications 1.0" (1991), and of ksmedia.h for the extensible form.
package wav
