// Package rna is the domain of RNA sequences, free or on the columns of a family alignment.
package rna
