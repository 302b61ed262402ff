package graphs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
	"pfgmgen/internal/splits"
	"pfgmgen/io/smiles"
	"pfgmgen/io/tudata"
)

// Load reads the files, cleans and splits the graphs, orders their nodes, and fits the adapter to the training part. See
// the package comment for the rules.
func (Domain) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	opts, err := parseOptions(o.Settings)
	if err != nil {
		return nil, err
	}
	if len(o.Paths) == 0 {
		return nil, fmt.Errorf("graphs: no data files")
	}
	var table *splits.Split
	if o.Split != "" {
		if table, err = splits.Read(o.Split, func(text string) (string, error) {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			return splitKey(text)
		}); err != nil {
			return nil, fmt.Errorf("graphs: %w", err)
		}
	}
	in := &input{largest: opts.component == largest, strict: opts.unreadable == "error", rules: graph.Rules{MaxNodes: maxReadNodes, MaxEdges: maxReadEdges, Simplify: opts.simplify != ""}}
	sum := sha256.New()
	families := make(map[string]bool)
	for _, path := range o.Paths {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("graphs: loading stopped: %w", err)
		}
		name, ok := strings.CutPrefix(path, familyPath)
		_, tu := tudata.Prefix(path)
		if ok {
			err = in.drawFamily(ctx, name, opts.count, uint64(opts.seed), sum)
			families[name] = true
		} else if tu {
			err = in.readTU(ctx, path, sum)
		} else {
			err = in.readFile(ctx, path, sum)
		}
		if err != nil {
			return nil, fmt.Errorf("graphs: %w", err)
		}
	}
	if len(o.Paths) == 1 && len(families) == 1 && o.Settings["family"] == "" {
		for name := range families {
			opts.family = familyRules[name]
		}
	}
	data, err := in.fitted(ctx, opts, table)
	if err != nil {
		return nil, fmt.Errorf("graphs: %w", err)
	}
	data.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return data, nil
}

// splitKey is the key of a molecule that the column sequence of a split table gives as SMILES.
func splitKey(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	m, err := smiles.Parse(text)
	if err != nil {
		return "", err
	}
	return smiles.Canonical(m.FoldHydrogens())
}

// A loader carries the data through the steps of Load.
type loader struct {
	*input
	options
	ctx          context.Context
	s            settings
	train, valid []*record
	notes        []string
}

func (l *loader) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// stopped is an error once the context is done. Steps that take their time ask it for each graph.
func (l *loader) stopped() error {
	if err := l.ctx.Err(); err != nil {
		return fmt.Errorf("loading stopped: %w", err)
	}
	return nil
}

// fitted takes the steps after reading.
func (in *input) fitted(ctx context.Context, opts options, table *splits.Split) (*domains.Data, error) {
	l := &loader{input: in, options: opts, ctx: ctx, s: settings{Version: settingsVersion}}
	for _, step := range []func() error{
		l.chooseKind,
		l.labelNodes,
		l.chooseComponents,
		l.identify,
		func() error { return l.split(table) },
		l.dropRepeats,
		l.addVariants,
		l.order,
		l.nameNodes,
		l.nameClasses,
		l.countSizes,
	} {
		if err := l.stopped(); err != nil {
			return nil, err
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := l.s.check(); err != nil {
		return nil, err
	}
	a := newAdapter(&l.s)
	n, err := l.breakingRule()
	if err != nil {
		return nil, err
	}
	if n > 0 {
		l.note("%d of %d training graphs break the rule family=%s", n, len(l.train), l.s.Family)
	}
	train, err := l.examples(a, l.train, l.orders)
	if err != nil {
		return nil, err
	}
	valid, err := l.examples(a, l.valid, 1)
	if err != nil {
		return nil, err
	}
	data := &domains.Data{
		Adapter: a,
		Train:   train,
		Valid:   valid,
		License: in.license,
		Source:  in.source(),
		Notes:   l.notes,
	}
	if data.License == "" {
		data.License = "unknown"
	}
	if l.s.Kind == molecules {
		data.Hints = moleculeHints
	}
	return data, nil
}

// moleculeHints put nearly all noise levels of the training where bonds are decided. With the levels of other discrete data
// (mean -0.17, deviation 1.2, and 0.1 was better) the same network spends most of its time where nothing is left to decide:
// after 3,000 steps 84 % of its molecules were valid, against 88 % (2,000 first draws; more in the card of the model).
var moleculeHints = domains.Hints{LnSigmaMean: -0.4, LnSigmaStd: 0.7}

// chooseKind takes the kind of the data, and reports what reading dropped.
func (l *loader) chooseKind() error {
	for _, why := range sortedKeys(l.dropped) {
		l.note("%d %s %s left out", l.dropped[why], l.input.kind, why)
	}
	all := l.input.unreadable + len(l.records)
	for _, n := range l.dropped {
		all += n
	}
	if n := l.input.unreadable; n > 0 {
		if l.input.unreadable*10 > all && l.options.unreadable == "" {
			return fmt.Errorf("%d of %d molecules cannot be read, more than a tenth; set unreadable=drop to leave them out all the same; the first: %s", n, all, l.first)
		}
		l.note("%d molecules that cannot be read left out; the first: %s", n, l.first)
	}
	if l.cut > 0 {
		l.note("%d molecules cut down to their largest fragment", l.cut)
	}
	if len(l.records) == 0 {
		return fmt.Errorf("no graphs are left of the data: %v", l.notes)
	}
	l.s.Kind, l.s.Fragments = l.input.kind, l.fragments
	if l.s.Family = l.family; l.family != "" && l.s.Kind == molecules {
		return fmt.Errorf("%w family=%s is a rule for graphs, the data are molecules", domains.ErrSetting, l.family)
	}
	switch {
	case l.options.kind == molecules && l.s.Kind != molecules:
		return fmt.Errorf("%w kind=%s, but the data are graphs without atoms", domains.ErrSetting, molecules)
	case l.options.kind == generic && l.s.Kind == molecules:
		for _, r := range l.records {
			for i, code := range r.g.Labels {
				r.g.Labels[i] = uint8(atomOf(code).Element) + labelShift
			}
		}
		l.s.Kind = generic
	}
	return nil
}

// chooseComponents applies component, min_nodes and max_nodes, and what every graph must have: two nodes and an edge.
func (l *loader) chooseComponents() error {
	pieces, small, large := 0, 0, 0
	kept := l.records[:0]
	for _, r := range l.records {
		if l.component == largest || l.s.Kind == molecules {
			if parts := r.g.Components(); len(parts) > 1 {
				if pieces++; l.component != largest {
					continue
				}
				r.g = r.g.Induced(parts[0])
			}
		}
		switch {
		case r.g.N < l.minNodes || len(r.g.Edges) == 0:
			small++
		case r.g.N > l.maxNodes:
			large++
		default:
			kept = append(kept, r)
		}
	}
	l.records = kept
	if pieces > 0 && l.component == largest {
		l.note("%d graphs cut down to their largest component", pieces)
	} else if pieces > 0 {
		l.note("%d molecules of several fragments left out; component=largest keeps their largest one", pieces)
	}
	if small > 0 {
		l.note("%d graphs of fewer than %d nodes or without an edge left out", small, l.minNodes)
	}
	if large > 0 {
		l.note("%d graphs of more than %d nodes left out", large, l.maxNodes)
	}
	if len(kept) == 0 {
		return fmt.Errorf("no graph has %d to %d nodes and an edge", l.minNodes, l.maxNodes)
	}
	return nil
}

// identify gives each graph its key.
func (l *loader) identify() error {
	for _, r := range l.records {
		if err := l.stopped(); err != nil {
			return err
		}
		if r.key = isomorphismKey(r.g); l.s.Kind == molecules {
			r.key = moleculeKey(r.g, moleculeOf(r.g))
		}
	}
	return nil
}

// split fills train and valid: by the split table when there is one, else by the data's own split, else by a hash of
// the graph. Test records are never used.
func (l *loader) split(table *splits.Split) error {
	own := 0
	for _, r := range l.records {
		if r.split != "" {
			own++
		}
	}
	switch {
	case table != nil:
		unknown := 0
		for _, r := range l.records {
			if r.split = table.Part(r.key, r.id); r.split == "" {
				unknown++
			}
		}
		if unknown > 0 {
			l.note("%d records that the split table does not name left out", unknown)
		}
	case own == 0:
		keys := make([]string, len(l.records))
		for i, r := range l.records {
			keys[i] = r.key
		}
		for i, part := range splits.ByHash(keys) {
			l.records[i].split = part
		}
	case own < len(l.records):
		l.note("%d records of files without a split left out, since another file has one", len(l.records)-own)
	}
	tests := 0
	for _, r := range l.records {
		switch r.split {
		case splits.Train:
			l.train = append(l.train, r)
		case splits.Valid:
			l.valid = append(l.valid, r)
		case splits.Test:
			tests++
		}
	}
	if tests > 0 {
		l.note("%d test records not used", tests)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("none of the %d records belongs to the training part", len(l.records))
	}
	return nil
}

// dropRepeats keeps each graph once per class in each part, and out of train when it is held out or a test record.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for _, r := range l.records {
		if r.split == splits.Valid || r.split == splits.Test {
			held[r.key] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record, skip map[string]bool) []*record {
		seen := make(map[[2]string]bool, len(part))
		out := part[:0]
		for _, r := range part {
			key := [2]string{r.key, r.class}
			switch {
			case skip[r.key]:
				leaks++
			case seen[key]:
				repeats++
			default:
				seen[key] = true
				out = append(out, r)
			}
		}
		return out
	}
	l.train = once(l.train, held)
	l.valid = once(l.valid, nil)
	if repeats > 0 {
		l.note("%d repeats of isomorphic graphs dropped", repeats)
	}
	if leaks > 0 {
		l.note("%d training graphs dropped because an isomorphic one is held out", leaks)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("no training graph is left: all of them are held out too")
	}
	return nil
}

// bandwidthQuantile of the training graphs sets the bandwidth: one graph in a thousand may be left out rather than have
// all others carry its edges.
const bandwidthQuantile = 0.999

// order finds the canonical orders and the bandwidth, and leaves out what exceeds it.
func (l *loader) order() error {
	widths := make([]int, len(l.train))
	for _, part := range [][]*record{l.valid, l.train} { // train last: its widths remain
		for _, r := range part {
			if err := l.stopped(); err != nil {
				return err
			}
			if l.s.Kind == molecules {
				r.order = orderMolecule(r.g)
			} else {
				r.order = canonicalOrder(r.g)
			}
		}
	}
	for i, r := range l.train {
		widths[i] = r.order.bandwidth
	}
	slices.Sort(widths)
	if l.s.Bandwidth = l.bandwidth; l.bandwidth == 0 {
		l.s.Bandwidth = widths[int(math.Ceil(bandwidthQuantile*float64(len(widths)-1)))]
	}
	wide := func(r *record) bool { return r.order.bandwidth > l.s.Bandwidth }
	all := len(l.train) + len(l.valid)
	l.train, l.valid = slices.DeleteFunc(l.train, wide), slices.DeleteFunc(l.valid, wide)
	if n := all - len(l.train) - len(l.valid); n > 0 {
		l.note("%d graphs left out because an edge reaches further than %d positions in the order of their nodes", n, l.s.Bandwidth)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("no training graph has a bandwidth of at most %d; raise it", l.s.Bandwidth)
	}
	return nil
}

// nameNodes lists the node classes and edge types of the training graphs, and leaves out held-out graphs with others.
func (l *loader) nameNodes() error {
	codes, types := make(map[uint8]bool), make(map[uint8]bool)
	l.s.Connected = true
	size := 0
	for _, r := range l.train {
		for _, c := range r.g.Labels {
			codes[c] = true
		}
		for _, e := range r.g.Edges {
			types[e.Type] = true
		}
		l.s.Connected = l.s.Connected && r.g.IsConnected()
		size = max(size, r.g.N)
	}
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		if l.s.Kind == molecules {
			l.s.Atoms = append(l.s.Atoms, atomName(c))
		} else {
			l.s.Labels = append(l.s.Labels, int(c)-labelShift)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(types)) {
		l.s.EdgeTypes = append(l.s.EdgeTypes, int(t))
	}
	all := len(l.valid)
	l.valid = slices.DeleteFunc(l.valid, func(r *record) bool {
		return r.g.N > size || slices.ContainsFunc(r.g.Labels, func(c uint8) bool { return !codes[c] }) ||
			slices.ContainsFunc(r.g.Edges, func(e graph.Edge) bool { return !types[e.Type] })
	})
	if n := all - len(l.valid); n > 0 {
		l.note("%d held-out graphs with a size, a node label or an edge type that no training graph has left out", n)
	}
	l.s.Bandwidth = min(l.s.Bandwidth, size-1)
	return nil
}

// nameClasses decides the classes of the condition.
func (l *loader) nameClasses() error {
	names := make(map[string]bool)
	switch l.s.Condition = l.condition; l.condition {
	case "":
		return nil
	case bySize:
		l.nameSizes()
	case byLabel:
		for _, part := range [][]*record{l.train, l.valid} {
			for _, r := range part {
				if r.class == "" {
					return fmt.Errorf("%w condition=label: record %s has no class", domains.ErrSetting, r.id)
				}
				if err := checkName(r.class); err != nil {
					return fmt.Errorf("record %s: %w", r.id, err)
				}
			}
		}
	}
	for _, r := range l.train {
		names[r.class] = true
	}
	l.s.Classes = slices.SortedFunc(maps.Keys(names), compareNames)
	if len(names) < 2 {
		return fmt.Errorf("%w condition=%s: the training graphs have only the class %s", domains.ErrSetting, l.condition, l.s.Classes[0])
	}
	all := len(l.valid)
	l.valid = slices.DeleteFunc(l.valid, func(r *record) bool { return !names[r.class] })
	if n := all - len(l.valid); n > 0 {
		l.note("%d held-out graphs of classes without a training graph left out", n)
	}
	return nil
}

// breakingRule counts the training graphs that the gate of the family would reject.
func (l *loader) breakingRule() (n int, err error) {
	for _, r := range l.train {
		if err := l.stopped(); err != nil {
			return 0, err
		}
		if l.s.Family != "" && !keepsRule[l.s.Family](r.g) {
			n++
		}
	}
	return n, nil
}

// maxSizeClasses bounds the classes of condition=size: beyond it, neighbouring sizes share one.
const maxSizeClasses = 32

// nameSizes makes the size of each graph its class.
func (l *loader) nameSizes() {
	low, high := math.MaxInt, 0
	for _, r := range l.train {
		low, high = min(low, r.g.N), max(high, r.g.N)
	}
	step := (high - low + maxSizeClasses) / maxSizeClasses
	for _, part := range [][]*record{l.train, l.valid} {
		for _, r := range part {
			from := low + max(0, r.g.N-low)/step*step
			r.class = strconv.Itoa(from)
			if step > 1 {
				r.class += "-" + strconv.Itoa(min(high, from+step-1))
			}
		}
	}
}

// compareNames orders numbers by value, before and within other names.
func compareNames(a, b string) int {
	leading := func(s string) int {
		i := 0
		for i < len(s) && i < 9 && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if i == 0 {
			return math.MaxInt
		}
		n, _ := strconv.Atoi(s[:i])
		return n
	}
	if x, y := leading(a), leading(b); x != y {
		if x < y {
			return -1
		}
		return 1
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// countSizes makes the size histograms.
func (l *loader) countSizes() error {
	counts := make([]map[int]int, 1+len(l.s.Classes))
	for i := range counts {
		counts[i] = make(map[int]int)
	}
	for _, r := range l.train {
		counts[0][r.g.N]++
		if c := slices.Index(l.s.Classes, r.class); c >= 0 {
			counts[1+c][r.g.N]++
		}
	}
	for _, m := range counts {
		var histogram [][2]int
		for _, n := range slices.Sorted(maps.Keys(m)) {
			histogram = append(histogram, [2]int{n, m[n]})
		}
		l.s.Sizes = append(l.s.Sizes, histogram)
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
