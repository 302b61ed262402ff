// Package temporaltest runs a real Temporal server for tests: the development server of Temporal's command line, which
// setup/server.sh builds. It listens on the loopback interface and keeps its state in a file, so that a test can kill it
// and start it again.
package temporaltest
