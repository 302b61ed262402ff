// Package graph holds simple undirected graphs with node labels and edge types, and what is computed of them: components
// and measures, a hash and an exact test of isomorphism, counts of small subgraphs by orbit, planarity, the check against the
// stochastic block model, and seeded families of random graphs. A Builder makes a Graph of what a file lists; the readers
// of package io share it, and yield a Record.
package graph
