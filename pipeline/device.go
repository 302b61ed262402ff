package pipeline

import (
	"context"
	"sync"
	"time"

	"pfgmgen/sampler"
)

// DeviceStats say how well a device is used. It is busy while at least one evaluation of the network is under way on
// it; what it does not do is wait for the host: for the solver's arithmetic, for rows to be decoded or written.
type DeviceStats struct {
	Device      int     `json:"device"`      // position in Parts.Denoisers
	Evaluations int64   `json:"evaluations"` // of the network, one for a whole micro-batch
	Busy        float64 `json:"busy"`        // seconds
	BusyShare   float64 `json:"busy_share"`  // Busy over the wall time of the run, 0 to 1
}

// A device is a denoiser that measures for how long it is busy.
type device struct {
	sampler.Denoiser

	mu          sync.Mutex
	active      int       // evaluations under way
	since       time.Time // when active became positive
	busy        time.Duration
	evaluations int64
}

var _ sampler.Denoiser = (*device)(nil)

func (d *device) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	d.enter()
	defer d.leave()
	return d.Denoiser.Denoise(ctx, dst, x, sigma, labels)
}

func (d *device) enter() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.active == 0 {
		d.since = time.Now()
	}
	d.active++
}

func (d *device) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.active--
	d.evaluations++
	if d.active == 0 {
		d.busy += time.Since(d.since)
	}
}

// used is the time busy so far, the evaluations under way included.
func (d *device) used() (busy time.Duration, evaluations int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	busy = d.busy
	if d.active > 0 {
		busy += time.Since(d.since)
	}
	return busy, d.evaluations
}

func (r *run) deviceStats(wall time.Duration) []DeviceStats {
	out := make([]DeviceStats, len(r.devices))
	for k, d := range r.devices {
		busy, evaluations := d.used()
		out[k] = DeviceStats{Device: k, Evaluations: evaluations, Busy: busy.Seconds()}
		if wall > 0 {
			out[k].BusyShare = min(1, busy.Seconds()/wall.Seconds()) // the clock was read a moment apart
		}
	}
	return out
}
