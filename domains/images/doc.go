// Package images is the domain of small pictures, grey or colour, 8 bits a channel.
//
// # Representation
//
// The tensor is [channels, height, width], 1 channel (grey) or 3 (RGB), both sides padded to a multiple of 4 by
// repeating the edge; the crop box is in the settings. A level u of 0 to 255 is encoded as u/127.5 - 1 and decoded as
// trunc(clip(127.5 x + 128, 0, 255)), as EDM does. Every coordinate is free, padding included.
package images
