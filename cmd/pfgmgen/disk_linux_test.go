package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A real file system that is too small, and one that is mounted read-only in the middle of a run: the run ends with 1 and
// the cause, and once there is room again the same command makes the same bytes. Needs root, to mount; without, TestDiskFull
// covers a failing write.
func TestSmallAndReadOnlyDisk(t *testing.T) {
	if os.Getuid() != 0 {
		without(t, "only root can mount a file system")
	}
	whole := reference(t, 400)
	want := tree(t, whole)
	for name, script := range map[string]string{
		// The disk has room for a shard or two.
		"full": `mount -t tmpfs -o size=160k none "$DISK" || exit 99
"$@" 2>&1; echo "exit $?"
find "$DISK" -name '.*' -type f
mount -o remount,size=64m "$DISK" || exit 99
"$@" 2>&1; echo "exit $?"`,
		// As soon as the first record is there.
		"read-only": `mount -t tmpfs -o size=64m none "$DISK" || exit 99
"$@" 2>&1 & child=$!
while ! ls "$DISK"/o/_pfgmgen/shard-*.json >/dev/null 2>&1; do kill -0 $child || exit 98; done
mount -o remount,ro "$DISK" || mount -o remount,ro,force "$DISK"
wait $child; echo "exit $?"
mount -o remount,rw "$DISK" || exit 99
"$@" 2>&1; echo "exit $?"`,
	} {
		t.Run(name, func(t *testing.T) {
			disk, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
			run := child(small(filepath.Join(disk, "o"), 400, "--quiet", "--workers", "1")...)
			cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script + "\ncp -r \"$DISK\"/o \"$COPY\"", "sh"}, run.Args...)...)
			cmd.Env = append(run.Env, "DISK="+disk, "COPY="+copied)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			err := cmd.Run()
			if strings.Contains(out.String(), "permission denied") || strings.Contains(out.String(), "Operation not permitted") {
				without(t, "no mounts here: %s", out.String())
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			cause := map[string]string{"full": "no space left on device", "read-only": "read-only file system"}[name]
			ends := strings.Count(out.String(), "exit ")
			switch {
			case ends != 2 || !strings.HasSuffix(out.String(), "exit 0\n"):
				t.Errorf("the second run did not end well: %s", out.String())
			case name == "read-only" && strings.Count(out.String(), "exit 0") == 2:
				// A file that is open for writing keeps the file system writable: then nothing has happened.
			case !strings.Contains(out.String(), cause) || !strings.Contains(out.String(), "exit 1\n"):
				t.Errorf("said %s, want exit 1 and %s", out.String(), cause)
			}
			equalFiles(t, copied, tree(t, copied), want)
		})
	}
}
