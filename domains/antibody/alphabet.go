package antibody

// Symbols of one position, in the order of the channels: the 20 amino acids by letter, then the gap.
const (
	alphabet = "ACDEFGHIKLMNPQRSTVWY-"
	residues = 20
	channels = 21
	gapIndex = 20
)

// Classes of input bytes that are no amino acid.
const (
	isGap     = gapIndex
	isUnclear = 0xfe // X, an ambiguity letter or a stop
	isForeign = 0xff
)

// symbol maps an input byte to the channel of an amino acid in either case, or to a class above.
var symbol = func() (t [256]uint8) {
	for i := range t {
		t[i] = isForeign
	}
	for k, c := range []byte(alphabet[:residues]) {
		t[c], t[c+'a'-'A'] = uint8(k), uint8(k)
	}
	for _, c := range "-._~" {
		t[c] = isGap
	}
	for _, c := range "XBZJUOxbzjuo*" {
		t[c] = isUnclear
	}
	return t
}()

// clean returns the residues of a text in upper case without gaps. unclear says that letters other than the 20 amino
// acids occur; bad is the position from 1 of the first byte that cannot stand in a protein, or 0.
func clean(text string) (seq string, unclear bool, bad int) {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		switch k := symbol[text[i]]; k {
		case isGap:
		case isForeign:
			return "", false, i + 1
		case isUnclear:
			unclear = true
			out = append(out, 'X')
		default:
			out = append(out, alphabet[k])
		}
	}
	return string(out), unclear, 0
}
