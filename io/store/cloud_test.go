package store

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob/azureblob"
)

// TestRefusals tries what two servers say to somebody who may do nothing, or asks for what is not there, as their
// documentation has it: that of the tests allows everything to everybody, and none is at hand for azblob.
func TestRefusals(t *testing.T) {
	status := http.StatusForbidden
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Query().Has("sig") {
			code := "AuthorizationFailure"
			if status == http.StatusNotFound {
				code = "BlobNotFound"
			}
			w.Header().Set("x-ms-error-code", code)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		io.WriteString(w, `{"error":{"code":0,"message":"the words of the server"}}`)
	}))
	defer server.Close()

	t.Setenv("STORAGE_EMULATOR_HOST", server.Listener.Addr().String())
	gs := open(t, "gs://b/p")
	client, err := container.NewClientWithNoCredential(server.URL+"/account/c?sig=hunter2", nil)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := azureblob.OpenBucket(t.Context(), client, nil)
	if err != nil {
		t.Fatal(err)
	}
	azure := quick(newBucket("azblob://c/p", "azblob://c", "p", bucket))
	for name, b := range map[string]*Bucket{"gs": gs, "azblob": azure} {
		status = http.StatusForbidden
		_, stat := b.Stat(t.Context(), "x")
		for way, err := range map[string]error{"stat": stat, "probe": b.Probe(t.Context()), "new": write(t, b, "x", "x").CommitNew(t.Context())} {
			if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "access is denied") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
		status = http.StatusNotFound
		b.there.Store(true)
		if _, err := b.Stat(t.Context(), "x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: nothing there: %v", name, err)
		}
	}
}
