package storetest

import (
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A Relay forwards connections to a server and loses some of them.
type Relay struct {
	Addr string // where it listens, host:port

	to    string
	drop  float64
	cut   atomic.Int64
	count atomic.Int64
	lost  atomic.Int64
	held  atomic.Bool
	rate  atomic.Int64 // bytes a second of each connection to the server; 0: as fast as it goes

	mu    sync.Mutex
	rng   *rand.Rand
	conns map[net.Conn]bool
}

// Proxy forwards to the server at addr. For each request it draws, with the probability drop, that the connection be lost
// at a byte of the request or of what follows, at most a megabyte on. It ends with the test.
func Proxy(t testing.TB, addr string, drop float64) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Relay{Addr: l.Addr().String(), to: addr, drop: drop, rng: rand.New(rand.NewPCG(1, 2)), conns: make(map[net.Conn]bool)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.CutAll()
		running.Wait()
	})
	return p
}

// CutAfter makes the proxy lose, once, the connection over which the n-th byte from now comes from the client.
func (p *Relay) CutAfter(n int64) { p.cut.Store(p.count.Load() + n) }

// CutAll loses every connection there is.
func (p *Relay) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// Hold makes the proxy take connections and bytes and forward none, as a network does that swallows packets.
func (p *Relay) Hold(on bool) { p.held.Store(on) }

// Slow makes each connection carry so many bytes a second to the server, 0 for as many as it can.
func (p *Relay) Slow(bytes int64) { p.rate.Store(bytes) }

// Lost is the number of connections lost so far.
func (p *Relay) Lost() int64 { return p.lost.Load() }

// Bytes is the number of bytes that clients have sent so far.
func (p *Relay) Bytes() int64 { return p.count.Load() }

// luck draws for one request: how many more bytes the connection carries, or -1 for as many as there are. Short and long
// lives are equally likely on a logarithmic scale, so that heads and bodies of all sizes are cut.
func (p *Relay) luck() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.Float64() >= p.drop {
		return -1
	}
	return int64(math.Exp(p.rng.Float64() * math.Log(1<<20)))
}

// A link is one connection through the proxy: its two ends and what is left of its life.
type link struct {
	client, server net.Conn

	mu      sync.Mutex
	answers bool  // the server was the last to speak: what the client says next is a new request
	life    int64 // bytes, -1 without limit
}

func (p *Relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		reset(client)
		return
	}
	defer server.Close()
	p.track(true, client, server)
	defer p.track(false, client, server)
	l := &link{client: client, server: server, answers: true, life: -1}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.copy(l, client, server, false)
	}()
	p.copy(l, server, client, true)
	<-done
}

// copy forwards one direction of a connection. When it ends both ends are closed.
func (p *Relay) copy(l *link, to, from net.Conn, up bool) {
	defer l.client.Close()
	defer l.server.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if rate := p.rate.Load(); up && rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
		if n > 0 && !p.held.Load() {
			some, whole := p.pass(l, n, up)
			if !whole {
				// A part of the bytes goes through, so that the other side sees the middle of a message.
				to.Write(buf[:some])
				p.lost.Add(1)
				reset(l.client)
				reset(l.server)
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass says how many of n bytes go through, and whether those are all.
func (p *Relay) pass(l *link, n int, up bool) (some int, whole bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if up && l.answers && l.life < 0 {
		l.life = p.luck()
	}
	l.answers = !up
	if up {
		now, at := p.count.Add(int64(n)), p.cut.Load()
		if at > 0 && now >= at && p.cut.CompareAndSwap(at, 0) {
			return n / 2, false
		}
	}
	if l.life < 0 {
		return n, true
	}
	if int64(n) >= l.life {
		return int(l.life), false
	}
	l.life -= int64(n)
	return n, true
}

func (p *Relay) track(on bool, conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if on {
			p.conns[c] = true
		} else {
			delete(p.conns, c)
		}
	}
}

// reset closes a connection by RST, as a crashed peer does, and not by an orderly end.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}
