// Package graph holds simple undirected graphs with node labels and edge types, and what is computed of them: order,
// components, isomorphism hashes, counts of small subgraphs, planarity, and seeded families of random graphs.
package graph
