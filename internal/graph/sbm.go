package graph

// The stochastic block model of SPECTRE: probabilities of an edge within and across blocks.
const (
	sbmWithin = 0.3
	sbmAcross = 0.005
)
