// Package antibody is the domain of antibody variable domains: heavy chains, light chains, and pairs of both.
package antibody
