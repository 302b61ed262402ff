// Command pfgmgen makes synthetic datasets with PFGM++ models: pfgmgen run samples, checks and writes one, pfgmgen train
// fits the model for it. One file per command; this is the only package that wires the others together, prints, and
// exits.
//
// Data goes to stdout, everything for people to stderr. A command is a function of its options that knows nothing of
// the command line; the function beside it lists the flags (xxxCommand). To add a command: write both in a file of its
// own and add the second to commands in app.go.
package main
