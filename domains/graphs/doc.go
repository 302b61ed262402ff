// Package graphs is the domain of small undirected graphs, molecules among them.
package graphs
