//go:build !race

package sampler_test

const raceDetector = false
