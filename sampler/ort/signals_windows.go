package ort

// savedSignals is empty: Windows has no signal handlers that a library could take.
type savedSignals struct{}

func saveSignals() savedSignals { return savedSignals{} }

func (savedSignals) restore() {}
