package graphs

import "pfgmgen/domains"

var _ domains.Paired = (*adapter)(nil)

// Pairs says where the edges lie, so that a network can show each of them to both of its nodes.
func (a *adapter) Pairs() (first, window, types int) {
	return a.layout.nodes + a.layout.hydrogens, a.layout.bandwidth, a.layout.edges
}
