//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A slurm is a cluster of one node on loopback, all of whose files are in one directory.
type slurm struct {
	dir string
	env []string // of those who talk to it
}

// wantSlurm skips the test where a cluster cannot be had, and only there.
func wantSlurm(t *testing.T) {
	t.Helper()
	_, noDebian := os.Stat("/etc/debian_version")
	if os.Getuid() != 0 || noDebian != nil {
		without(t, "the daemons of Slurm want root, and this test their Debian packages")
	}
	if out, err := exec.Command("../../setup/slurm.sh").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// startSlurm starts MUNGE, the controller and a node with so many CPUs, whatever the machine has, and stops them when the test ends.
func startSlurm(t *testing.T, cpus int) *slurm {
	t.Helper()
	// Not t.TempDir, whose path may be longer than that of a socket can be.
	dir, err := os.MkdirTemp("/tmp", "slurm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	key := make([]byte, 1024)
	rand.Read(key)
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[3]d
SlurmdPort=%[4]d
CommunicationParameters=NoInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%[2]s/munge.socket,cred_expire=10
StateSaveLocation=%[2]s/state
SlurmdSpoolDir=%[2]s/spool
SlurmctldPidFile=%[2]s/slurmctld.pid
SlurmdPidFile=%[2]s/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=1,requeue_delay=1
MinJobAge=300
KillWait=20
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=%[5]d RealMemory=8192 State=UNKNOWN
PartitionName=main Nodes=%[1]s Default=YES MaxTime=INFINITE State=UP
`, host, dir, freePort(t), freePort(t), cpus)
	for name, data := range map[string][]byte{"munge.key": key, "slurm.conf": []byte(conf)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { // MUNGE wants its socket within reach
		t.Fatal(err)
	}
	for _, name := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &slurm{dir: dir, env: append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "slurm.conf"), "SOURCE_DATE_EPOCH="+epoch,
		"PATH="+dir+":"+os.Getenv("PATH")+":/usr/sbin")}
	in := func(name string) string { return filepath.Join(dir, name) }
	s.daemon(t, "munged", "--foreground", "--force", "--socket="+in("munge.socket"), "--key-file="+in("munge.key"), "--pid-file="+in("munge.pid"),
		"--log-file="+in("munge.log"), "--seed-file="+in("munge.seed"))
	s.until(t, "munged listens", func() bool { _, err := os.Stat(in("munge.socket")); return err == nil })
	s.daemon(t, "slurmctld", "-D", "-i")
	s.daemon(t, "slurmd", "-D", "-N", host)
	s.until(t, "the node is idle", func() bool {
		out, err := s.command("sinfo", "--noheader", "--format=%T").CombinedOutput()
		return err == nil && strings.TrimSpace(string(out)) == "idle"
	})
	t.Cleanup(func() { // before the daemons stop, so that no process of a job is left
		_ = s.command("scancel", "--user=root").Run()
		s.until(t, "no job is left", func() bool { return s.queue() == "" })
	})
	return s
}

// freePort is a port that nobody listened on a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *slurm) command(name string, args ...string) *exec.Cmd {
	if path, err := exec.LookPath(name); err != nil { // Debian has daemons where only root looks
		name = filepath.Join("/usr/sbin", name)
	} else {
		name = path
	}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Dir = s.env, s.dir
	return cmd
}

// daemon runs a program until the test ends, and prints what it said when the test fails.
func (s *slurm) daemon(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := s.command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
}

func (s *slurm) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after two minutes still not: %s\nqueue:\n%s", what, s.queue())
		}
	}
}

// queue lists the jobs that are not over: id and task, name, state.
func (s *slurm) queue() string {
	out, _ := s.command("squeue", "--noheader", "--array", "--format=%i %j %T %r").CombinedOutput()
	return strings.TrimSpace(string(out))
}

// logs are what the jobs have written.
func (s *slurm) logs(t *testing.T) string {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(s.dir, "*-*.log"))
	var b strings.Builder
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "== %s\n%s", filepath.Base(name), data)
	}
	return b.String()
}

// The job that emit writes, on a real Slurm: a task is requeued at work, another gets the warning of the time limit, and
// what the tasks and the finalize job leave is what one run makes.
func TestSlurm(t *testing.T) {
	wantSlurm(t)
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	model, err := filepath.Abs(exact)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"--model", model, "-n", "80", "--shard-rows", "4"}
	whole := filepath.Join(t.TempDir(), "whole")
	mustRun(t, 0, append([]string{"run", "--out", whole, "--quiet"}, args...)...)

	s := startSlurm(t, 4)
	// The tasks run the program that is tested, under its name. At first, tasks 1 and 2 wait to be stopped with a part
	// that lacks its record.
	program := fmt.Sprintf(`#!/bin/sh
case "${SLURM_ARRAY_TASK_ID:-} ${SLURM_RESTART_COUNT:-0}" in
"1 0") export %[1]s=hold:_pfgmgen/shard-00005.json ;;
"2 0") export %[1]s=hold:_pfgmgen/shard-00006.json ;;
esac
export %[2]s=1
exec %[3]s "$@"
`, failpoint, asProgram, shellWord(os.Args[0]))
	if err := os.WriteFile(filepath.Join(s.dir, "pfgmgen"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	stdout, _ := mustRun(t, 0, append([]string{"emit", "slurm", "--tasks", "4", "--name", "hairpins", "--memory", "500M", "--", "--out", "o"}, args...)...)
	if err := os.WriteFile(filepath.Join(s.dir, "job.sh"), []byte(stdout), 0o666); err != nil {
		t.Fatal(err)
	}
	said, err := s.command("bash", "job.sh").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var tasks, last int
	if _, err := fmt.Sscanf(string(said), "submitted 4 tasks as job %d, then job %d", &tasks, &last); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	waits := func(task, shard int) bool {
		_, err := os.Stat(filepath.Join(s.dir, "o", "data", fmt.Sprintf("train-%05d.parquet", shard)))
		return err == nil && strings.Contains(s.queue(), fmt.Sprintf("%d_%d hairpins RUNNING", tasks, task))
	}
	s.until(t, "tasks 1 and 2 are at work", func() bool { return waits(1, 5) && waits(2, 6) })
	if out, err := s.command("scontrol", "requeue", fmt.Sprintf("%d_1", tasks)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := s.command("scancel", "--batch", "--signal=USR1", fmt.Sprintf("%d_2", tasks)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// A requeued task starts again cred_expire and a second later.
	s.until(t, "all jobs are over", func() bool { return s.queue() == "" })

	logs := s.logs(t)
	t.Log(logs)
	for _, task := range []int{1, 2} { // stopped once, without haste, and started twice
		data, _ := os.ReadFile(filepath.Join(s.dir, fmt.Sprintf("hairpins-%d_%d.log", tasks, task)))
		if bytes.Count(data, []byte("by SLURM_ARRAY_TASK_ID")) != 2 || bytes.Count(data, []byte("keeps the shards that were finished")) != 1 {
			t.Errorf("the log of task %d: %s", task, data)
		}
	}
	for _, job := range []string{fmt.Sprint(tasks, "_0"), fmt.Sprint(tasks, "_1"), fmt.Sprint(tasks, "_2"), fmt.Sprint(tasks, "_3"), fmt.Sprint(last)} {
		out, err := s.command("scontrol", "show", "job", job).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("JobState=COMPLETED")) || !bytes.Contains(out, []byte("ExitCode=0:0")) {
			t.Errorf("job %s: %v: %s", job, err, out)
		}
	}
	equalTrees(t, filepath.Join(s.dir, "o"), whole)
}
