//go:build race

package sampler_test

// raceDetector is true when the tests run under the race detector, which makes the draws some 20 times slower and has nothing to
// find in more of them. The two largest tests then draw less, with limits that are wider accordingly.
const raceDetector = true
