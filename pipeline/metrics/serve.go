package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// CheckAddr says what is wrong with an address to serve on, without trying it.
func CheckAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		if n, e := strconv.Atoi(port); e != nil || n < 0 || n > 65535 {
			err = fmt.Errorf("port %q is not a number from 0 to 65535", port)
		}
	}
	if err == nil {
		return nil
	}
	var ae *net.AddrError
	if errors.As(err, &ae) {
		err = errors.New(ae.Err)
	}
	return fmt.Errorf("address %q: %w; want HOST:PORT, such as 127.0.0.1:9090, [::1]:9090, :9090 for all addresses of this machine, or port 0 for a free one", addr, err)
}

// A Server answers GET /metrics.
type Server struct {
	http *http.Server
	addr string
	over chan struct{} // closed when it has stopped
}

// Serve starts a server on addr, HOST:PORT. The caller closes it.
func (m *Metrics) Serve(addr string) (*Server, error) {
	if err := CheckAddr(addr); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("metrics: listen on %s: %w%s", addr, cause(err), hint(err))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	s := &Server{http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, addr: l.Addr().String(), over: make(chan struct{})}
	go func() {
		defer close(s.over)
		_ = s.http.Serve(l) // ends with ErrServerClosed; should accepting fail, the run goes on without
	}()
	return s, nil
}

// Addr is where the server listens: the port that was found when 0 was asked for.
func (s *Server) Addr() string { return s.addr }

// closeWithin is how long answers under way may take to finish.
const closeWithin = time.Second

// Close stops the server, letting answers under way finish for a moment.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.over
	return err
}

// cause is a network error without what the caller says anyway.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// hint says what to do about an address that cannot be had.
func hint(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "; stop what uses it, or choose another port, 0 for a free one"
	case errors.Is(err, syscall.EACCES):
		return "; choose a port from 1024"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		return "; choose an address of this machine, such as 127.0.0.1"
	}
	return ""
}
