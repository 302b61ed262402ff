// Package storetest gives tests a real object store and a bad network. S3 runs versitygw, an S3 server, on the loopback
// interface; it can be killed and started again with its data kept. Proxy is a TCP proxy that loses connections.
//
// The server is built by setup/versitygw.sh when it is not there yet. With -short tests that need it are skipped. Where it
// cannot be had they are skipped too, except in CI (the variable CI is set), where that fails.
package storetest
