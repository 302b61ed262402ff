// Package storetest gives tests real object stores and a bad network. S3 runs versitygw, an S3 server, and GCS
// fake-gcs-server, which speaks the API of Google Cloud Storage, on the loopback interface; they can be killed and started
// again with their data kept. Proxy is a TCP proxy that loses connections, or makes them slow.
//
// The servers are built by setup/server.sh when they are not there yet. With -short tests that need one are skipped. Where
// it cannot be had they are skipped too, except in CI (the variable CI is set), where that fails.
package storetest
