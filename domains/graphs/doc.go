// Package graphs is the domain of small undirected graphs: molecules as Kekulé graphs, and graphs with or without labels
// of nodes and types of edges. Both are one domain, and the data say which kind they are.
//
// # Loading
//
// Load takes these steps, and says in Data.Notes what each of them left out:
//
//  1. Read every file (read.go, generic.go), or draw a built-in family (family.go). The format is seen from the content.
//  2. Of molecules, drop those that break the rules of valence, have unpaired electrons, or elements and charges that the
//     encoding cannot say. Hydrogen atoms become implicit.
//  3. Number the labels of nodes, take the largest component if asked, and keep graphs of min_nodes to max_nodes nodes
//     with an edge.
//  4. Give each graph a key: the canonical SMILES of a molecule, an isomorphism hash of another graph (key.go).
//  5. Split by the split table (by the molecule in its column sequence, then by id), by the data's own split, or by a hash
//     of the key that holds out about a tenth. Test records are never used.
//  6. Drop what is isomorphic to an earlier graph of its part and class, and training graphs that are held out too.
//  7. Add variants of the training molecules if asked, none of which the data have (variants.go).
//  8. Order the nodes and measure the bandwidth, the longest reach of an edge in that order. Graphs beyond the 99.9 %
//     quantile of the training graphs are dropped, so that a few do not make the tensor wider for all.
//  9. List the node labels, edge types, classes and sizes of the training graphs.
//
// # Order
//
// Nodes stand in a breadth-first order that keeps edges short (Cuthill and McKee 1969): in a connected graph every node
// but the first has an edge to an earlier one. Of all starts (of a graph of over 64 nodes: the 64 most eccentric ones) the
// one with the smallest bandwidth, then profile, then least code is taken, and ties within an order are broken by refined
// colours, so the same graph is encoded in the same way however its file numbers the nodes (order.go). In the shared data
// no graph is an exception. Components follow each other, the largest first. The search is bounded (maxWork), so that the
// order of a large symmetric graph, say a cycle of 1,024 nodes, may depend on its numbering.
//
// A molecule is drawn in one way too: of the Kekulé structures that differ by moving the three double bonds of six-rings,
// the one whose double bonds stand earliest in the order, which is found without regard to them (molecule.go).
//
// # Representation
//
// The tensor is [positions, channels]. Position i holds, in this order:
//
//   - the class of node i: of a molecule its element, with the charge when the bonds do not say it (O-1), else the node's
//     label; no channel when there is one class;
//   - of a molecule, the number of implicit hydrogens, 0 to 4. Bonds imply it, and decoding goes by the bonds: it tells the
//     network at each atom what its bonds must add up to;
//   - for k = 1 to the bandwidth, the edge between nodes i and i-k: none or one of the types; with a single type one
//     channel, +1 for an edge and -1 for none.
//
// A choice among K is the one-hot s (e_k - 1/K), s = K / (2 sqrt(K-1)): mean 0 and deviation 0.5. So every undirected edge
// has its coordinates once, and Free counts those of the largest graph. What a graph has not is exactly 0: positions
// behind its last node, and edges to positions below 0; Mask draws the number of nodes from the training graphs, of the
// class if there is one. The number of positions is even, and a multiple of 4 above 64.
//
// # Decoding
//
// The number of nodes is that of positions up to the last one that is not all 0, and each choice is its largest channel.
// Charges: N with four bonds and O with three are +1 (the rule of GDSS, Jo et al. 2022), others are those of the class.
// With fragments=largest a row is cut down to its largest component, as GDSS does, and n_components and the warning tell.
//
// # Checks
//
// The codes GR_ are of all graphs, MO_ of molecules. Rules of valence are those of internal/chem. The gates of a family
// (planar, tree, lobster, sbm) hold when the setting family says so. There is no gate on symmetry, since the encoding has
// each edge once. On held-out data of the shared sets and families no gate rejects anything, but for GR_SBM: the
// benchmark's rule rejects one in nine graphs of the block model itself.
package graphs
