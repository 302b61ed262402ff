// Package images is the domain of small pictures, grey or colour, 8 bits a channel.
//
// # Loading
//
// Load takes these steps, and says in Data.Notes what each of them left out:
//
//  1. Read every file or folder (read.go and one file for each format). A picture is at most 256 pixels on a side; a
//     larger one is an error unless size=N asks for it to be cut to its middle square and resized (resize.go). Transparent
//     parts become white, 16 bits are cut to 8.
//  2. Make all pictures grey, or all colour when one has colour. Pictures of different sizes are an error.
//  3. Split: by the split table (by id: the path in a folder or archive, or the number from 0 in the file, behind the name of
//     the part or file when there are several), else by the parts that the data have (t10k, test, val in names, a
//     column split). When these have no held-out part, a tenth is held out by a hash. Test pictures are never used.
//  4. Drop exact repeats, and pictures that are test pictures or held out too.
//  5. Name the classes: when every training picture has one and there are at least two, each is a label. They stand in the
//     order in which the data number them, else numbers by value and names by spelling.
//  6. Measure the thresholds of the gates on the training part.
//
// Data.SHA256 is over the bytes of all files that were read, labels, meta.csv and test files found beside the pictures
// included.
//
// # Representation
//
// The tensor is [channels, height, width], 1 channel (grey) or 3 (RGB), both sides padded to a multiple of 4 by
// repeating the edge; the crop box is in the settings. A level u of 0 to 255 is encoded as u/127.5 - 1 and decoded as
// trunc(clip(127.5 x + 128, 0, 255)), as EDM does. Every coordinate is free, padding included. Mean and deviation are the
// data's own (digits -0.74 and 0.62, blood cells 0.41 and 0.18): the affine fit of the framework brings them to 0 and 0.5.
//
// # Copies of training pictures
//
// IM_DUP compares perceptual hashes. The settings keep those of the training pictures as a Bloom filter of 16 bits each,
// 108 kB for 54,000 digits, 1 MiB at most (524,288 pictures). Digits look alike at this size: 3.6 % of the held-out ones,
// mostly ones, have the hash of a training picture, no blood cell of 476 has. So the rate means something only beside that
// of held-out pictures. Equal rows among each other are counted by Key, which is a hash of the pixels.
//
// The column realism of other programs needs the training pictures at hand when a row is made; there is none.
//
// # Features
//
// [Features] are numbers that say what a picture looks like, to compare sets of pictures with (package validate).
package images
