package images

import (
	"fmt"
	"image"
	"math"

	"gonum.org/v1/gonum/mat"

	"pfgmgen/domains"
)

// FeaturesName names what Features computes, for the record beside a figure. A change of the definition is a new name.
const FeaturesName = "gofeat-img-v1"

// Pictures is implemented by the Examples of this domain.
type Pictures interface {
	domains.Examples
	// Image is the picture of example i. It shares memory with the example: read it only.
	Image(i int) image.Image
}

var _ Pictures = (*examples)(nil)

func (e *examples) Image(i int) image.Image { return e.pictures[i].image() }

// Parts of the features, in their order.
const (
	blockSide   = 8                     // block cosine transform: root mean square of each of 64 coefficients, per channel
	gridSide    = 4                     // gradient histograms: 4 x 4 cells of 8 directions, of the luma
	directions  = 8                     //
	moments     = 3                     // mean, deviation and cube root of the third central moment, per channel
	patchSide   = 5                     // random patches: mean and deviation of the rectified response, all channels together
	patches     = 128                   //
	patchPixels = patchSide * patchSide //
	neighbours  = 0.95                  // correlation of neighbouring pixels that the patches are whitened for
)

// An Extractor computes features of pictures with one number of channels. It is immutable and safe for concurrent use.
type Extractor struct {
	channels int
	cosines  [blockSide][]float64
	filters  [patches][]float64 // over channels, rows and columns of a patch
}

// NewExtractor prepares features of grey (1) or RGB (3) pictures. It panics on another number of channels.
func NewExtractor(channels int) *Extractor {
	if channels != 1 && channels != 3 {
		panic(fmt.Sprintf("images: features of %d channels, want 1 or 3", channels))
	}
	e := &Extractor{channels: channels}
	for k := range e.cosines {
		e.cosines[k] = cosines(k, blockSide)
	}
	white := whitening()
	for i := range e.filters {
		e.filters[i] = filterOf(i, channels, white)
	}
	return e
}

// Dim is the number of features: 451 for grey, 585 for RGB.
func (e *Extractor) Dim() int {
	return e.channels*(blockSide*blockSide+moments) + gridSide*gridSide*directions + 2*patches
}

// Features are what the picture looks like: energies of frequencies, directions of edges, moments of the values, and
// responses to random patches. Values count as -1 (darkest) to 1. The picture is turned grey or RGB as the
// Extractor has it. A Frechet distance of these features is no FID: call it FD[gofeat-img-v1].
func (e *Extractor) Features(im image.Image) []float64 {
	p := fromImage(im)
	if e.channels == 1 {
		p = p.grey()
	} else {
		p = p.rgb()
	}
	out := make([]float64, 0, e.Dim())
	out = e.appendBlocks(out, p)
	out = appendGradients(out, p.grey())
	out = appendMoments(out, p)
	return e.appendPatches(out, p)
}

// appendBlocks adds for each channel the root mean square over the 8 x 8 blocks of each orthonormal cosine coefficient,
// divided by 8 so that a flat picture of value v has |v| at frequency zero. The last blocks repeat the edge.
func (e *Extractor) appendBlocks(out []float64, p picture) []float64 {
	for c := range p.channels {
		plane := p.pix[c*p.height*p.width:]
		var energy [blockSide * blockSide]float64
		blocks := 0
		for top := 0; top < p.height; top += blockSide {
			for left := 0; left < p.width; left += blockSide {
				blocks++
				var across [blockSide][blockSide]float64 // row, frequency
				for y := range blockSide {
					line := plane[min(top+y, p.height-1)*p.width:][:p.width]
					for x := range blockSide {
						v := levels[line[min(left+x, p.width-1)]]
						for u := range blockSide {
							across[y][u] += v * e.cosines[u][x]
						}
					}
				}
				for v := range blockSide {
					for u := range blockSide {
						sum := 0.0
						for y := range blockSide {
							sum += across[y][u] * e.cosines[v][y]
						}
						energy[v*blockSide+u] += sum * sum
					}
				}
			}
		}
		for _, q := range energy {
			out = append(out, math.Sqrt(q/float64(blocks))/blockSide)
		}
	}
	return out
}

// appendGradients adds for each cell of a 4 x 4 grid the mean over its pixels of the gradient's size in each of 8
// directions; a gradient between two directions is shared by both. Gradients are central differences, halves at the
// border.
func appendGradients(out []float64, g picture) []float64 {
	var histogram [gridSide * gridSide * directions]float64
	var pixels [gridSide * gridSide]float64
	at := func(y, x int) float64 {
		return levels[g.pix[min(max(y, 0), g.height-1)*g.width+min(max(x, 0), g.width-1)]]
	}
	for y := range g.height {
		for x := range g.width {
			cell := y*gridSide/g.height*gridSide + x*gridSide/g.width
			pixels[cell]++
			across, down := (at(y, x+1)-at(y, x-1))/2, (at(y+1, x)-at(y-1, x))/2
			size := math.Hypot(across, down)
			if size == 0 {
				continue
			}
			turn := math.Atan2(down, across) / (2 * math.Pi) * directions // -4 to 4
			first := math.Floor(turn)
			share := turn - first
			k := (int(first) + directions) % directions
			histogram[cell*directions+k] += size * (1 - share)
			histogram[cell*directions+(k+1)%directions] += size * share
		}
	}
	for i, sum := range histogram {
		out = append(out, sum/max(1, pixels[i/directions]))
	}
	return out
}

func appendMoments(out []float64, p picture) []float64 {
	n := p.height * p.width
	for c := range p.channels {
		mean, second, third := 0.0, 0.0, 0.0
		for _, u := range p.pix[c*n : (c+1)*n] {
			mean += levels[u]
		}
		mean /= float64(n)
		for _, u := range p.pix[c*n : (c+1)*n] {
			d := levels[u] - mean
			second += d * d
			third += d * d * d
		}
		out = append(out, mean, math.Sqrt(second/float64(n)), math.Cbrt(third/float64(n)))
	}
	return out
}

// appendPatches adds the mean and the deviation, over all positions inside the picture, of what each filter answers,
// negative answers counting as 0. They are 0 when a side is shorter than a patch.
func (e *Extractor) appendPatches(out []float64, p picture) []float64 {
	var sums, squares [patches]float64
	patch := make([]float64, e.channels*patchPixels)
	positions := 0
	for top := 0; top+patchSide <= p.height; top++ {
		for left := 0; left+patchSide <= p.width; left++ {
			positions++
			i := 0
			for c := range e.channels {
				for y := range patchSide {
					for _, u := range p.pix[(c*p.height+top+y)*p.width+left:][:patchSide] {
						patch[i] = levels[u]
						i++
					}
				}
			}
			for k := range e.filters {
				answer := 0.0
				for i, w := range e.filters[k] {
					answer += w * patch[i]
				}
				if answer > 0 {
					sums[k] += answer
					squares[k] += answer * answer
				}
			}
		}
	}
	n := max(1, float64(positions))
	for k := range patches {
		mean := sums[k] / n
		out = append(out, mean, math.Sqrt(max(0, squares[k]/n-mean*mean)))
	}
	return out
}

// filterOf is a random filter of unit length: weights even in -1 to 1, by a hash of their position, then whitened, then
// without mean in each channel, so that it answers to contrast alone.
func filterOf(i, channels int, white *mat.SymDense) []float64 {
	out, squares := make([]float64, channels*patchPixels), 0.0
	raw := make([]float64, patchPixels)
	for c := range channels {
		for k := range raw {
			raw[k] = float64(mix(uint64((i*3+c)*patchPixels+k))>>11)/(1<<52) - 1
		}
		to := out[c*patchPixels:][:patchPixels]
		mean := 0.0
		for r := range to {
			for k, v := range raw {
				to[r] += white.At(r, k) * v
			}
			mean += to[r] / patchPixels
		}
		for r := range to {
			to[r] -= mean
			squares += to[r] * to[r]
		}
	}
	for k := range out {
		out[k] /= math.Sqrt(squares)
	}
	return out
}

// whitening is C^(-1/2) for the covariance C of the 25 pixels of a patch. C is that of a first-order Markov field, whose
// correlation falls by the factor neighbours with every step across or down: the usual model of pictures, which needs
// no training data, so that features mean the same for every data set. It is taken by principal components.
func whitening() *mat.SymDense {
	c := mat.NewSymDense(patchPixels, nil)
	for i := range patchPixels {
		for j := range i + 1 {
			steps := math.Abs(float64(i/patchSide-j/patchSide)) + math.Abs(float64(i%patchSide-j%patchSide))
			c.SetSym(i, j, math.Pow(neighbours, steps))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(c, true) {
		panic("images: the covariance of a patch has no eigenvalues") // a fixed positive definite matrix
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	out := mat.NewSymDense(patchPixels, nil)
	for i := range patchPixels {
		for j := range i + 1 {
			sum := 0.0
			for k, v := range values {
				sum += vectors.At(i, k) * vectors.At(j, k) / math.Sqrt(v)
			}
			out.SetSym(i, j, sum)
		}
	}
	return out
}
