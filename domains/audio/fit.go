package audio

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
)

const (
	// rounds of Griffin-Lim: real clips then have their magnitudes to -28 dB (doc.go).
	rounds = 24
	// loudnessDB is the root mean square of the output, dBFS. Speech peaks 10 to 18 dB above it.
	loudnessDB = -20
	// headroomDB is how much more than any measured training clip a sample may be raised: a nearly silent one stays quiet.
	headroomDB = 6
	// measured is the most training clips that thresholds are measured on, evenly taken: each goes through Griffin-Lim.
	measured = 512
)

// fit measures the bins and the thresholds of the gates on the training part.
func (l *loader) fit(ctx context.Context) error {
	s := &l.s
	s.Version, s.Window, s.Rate, s.Rounds = settingsVersion, window, l.rate, rounds
	s.FloorDB, s.LoudnessDB, s.MaxGainDB = floorDB, loudnessDB, 120
	s.standardise(l.train)
	rows, err := l.roundTrips(ctx)
	if err != nil {
		return err
	}
	var lengths, clicks []int
	var flatness, silent, gains []float64
	for _, r := range rows {
		lengths = append(lengths, len(r.pcm))
		clicks = append(clicks, r.clicks)
		flatness = append(flatness, r.noisy)
		silent = append(silent, r.silent)
		gains = append(gains, r.gain)
	}
	s.Lengths = [2]int{
		int(math.Floor(0.9 * float64(lowQuantile(lengths, 0.001)))),
		int(math.Ceil(1.1 * float64(highQuantile(lengths, 0.999)))),
	}
	s.Clicks = highQuantile(clicks, 0.999)
	s.Flatness = highQuantile(flatness, 0.999)
	s.SilentShare = highQuantile(silent, 0.999)
	s.MaxGainDB = math.Ceil(highQuantile(gains, 1) + headroomDB)
	l.noteLoudness()
	if err := s.check(); err != nil {
		return fmt.Errorf("the data give settings that cannot be used: %w", err)
	}
	return nil
}

// standardise measures mean and deviation of each bin's level over the training clips, silence after their end
// included.
func (s *settings) standardise(train []*record) {
	var sum, squares [bins]float64
	for _, r := range train {
		for i, q := range r.clip {
			sum[i%bins] += float64(q)
			squares[i%bins] += float64(q) * float64(q)
		}
	}
	n, step := float64(len(train)*s.Frames), s.FloorDB/steps
	for b := range bins {
		mean := sum[b] / n
		deviation := math.Sqrt(max(0, squares[b]/n-mean*mean))
		s.Means = append(s.Means, rounded(mean*step))
		s.SpreadsDB = append(s.SpreadsDB, max(minSpread, rounded(deviation*step)))
	}
}

// rounded keeps settings short: 0.001 dB is far below a level.
func rounded(db float64) float64 { return math.Round(1000*db) / 1000 }

// roundTrips are rows as they come out of the model space for training clips.
func (l *loader) roundTrips(ctx context.Context) ([]*row, error) {
	n := min(measured, len(l.train))
	rows := make([]*row, n)
	var wg sync.WaitGroup
	workers := min(n, runtime.GOMAXPROCS(0))
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n && ctx.Err() == nil; i += workers {
				signal, _ := l.s.signal(l.train[i*len(l.train)/n].clip)
				rms, _ := rmsAndPeak(signal)
				rows[i] = l.s.measure(trimEnd(l.s.loudness(signal)))
				rows[i].gain = l.s.LoudnessDB - toDB(rms)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("loading stopped: %w", err)
	}
	return rows, nil
}

// noteLoudness says what the loudness normalisation takes away.
func (l *loader) noteLoudness() {
	levels := make([]float64, len(l.train))
	for i, r := range l.train {
		levels[i] = toDB(r.rms)
	}
	l.note("loudness of the clips (root mean square %.0f to %.0f dBFS, 1 %% to 99 %% quantile) not kept: output is at %d dBFS",
		lowQuantile(levels, 0.01), highQuantile(levels, 0.99), loudnessDB)
}
