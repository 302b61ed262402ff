package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// odd are arguments that shells, YAML, systemd and Kubernetes each take for something else when they are not quoted.
var odd = []string{"it's", `"quoted"`, "two\nlines\n", "$HOME ${HOME} $(HOME) $$(HOME) $$ $", "`id`", `back\slash \n`, "a: b # c", "- x", "", " ", "%h %%", "tab\there", "\x01\x7f",
	"é☃ 𝄞", "{{.Name}}", "*", "!important", "~", "yes", "Ref::x", "a;b|c&d>e<f(g)"}

// labelled are arguments of a run whose label is text.
func labelled(text, out string) []string {
	return []string{"--model", "images-mnist", "--label", text, "--out", out}
}

// emitted is the job file for arguments before and after --.
func emitted(t *testing.T, flags, run []string) string {
	t.Helper()
	args := append(append([]string{"emit"}, flags...), "--")
	stdout, _ := mustRun(t, 0, append(args, run...)...)
	return stdout
}

// The files of deploy/ are what the commands in its README write.
func TestDeploy(t *testing.T) {
	readme, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	made := []string{"README.md"}
	for _, m := range regexp.MustCompile(`(?m)^    (pfgmgen emit .*) > (deploy/(.*))$`).FindAllStringSubmatch(string(readme), -1) {
		cmd := exec.Command("sh", "-c", `pfgmgen() { "$PROGRAM" "$@"; }; `+m[1])
		cmd.Env = append(os.Environ(), asProgram+"=1", "PROGRAM="+os.Args[0])
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v: %s", m[1], err, stderr.String())
			continue
		}
		goldenFile(t, m[2], m[2]+".got-txt", string(out))
		made = append(made, m[3])
	}
	entries, err := os.ReadDir("../../deploy")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(made, e.Name()) && !strings.Contains(e.Name(), ".got-") {
			t.Errorf("no command of deploy/README.md makes deploy/%s", e.Name())
		}
	}
	if len(made) != 7 {
		t.Errorf("deploy/README.md makes %v", made)
	}
}

// expanded is what Kubernetes makes of the words of a command, provided that no variable is named.
func expanded(t *testing.T, words []string) []string {
	t.Helper()
	out := make([]string, len(words))
	for i, w := range words {
		if strings.Contains(strings.ReplaceAll(w, "$$", ""), "$") {
			t.Errorf("%q: a $ alone, which may name a variable", w)
		}
		out[i] = strings.ReplaceAll(w, "$$", "$")
	}
	return out
}

// checkJob checks what makes a Job do what the exit statuses promise.
func checkJob(t *testing.T, spec batchv1.JobSpec, tasks int32) corev1.Container {
	t.Helper()
	pod := spec.Template.Spec
	if *spec.CompletionMode != batchv1.IndexedCompletion || *spec.Completions != tasks || *spec.Parallelism != tasks || *spec.BackoffLimitPerIndex < 1 {
		t.Errorf("mode %v, %v completions, %v at once, limit %v", *spec.CompletionMode, *spec.Completions, *spec.Parallelism, *spec.BackoffLimitPerIndex)
	}
	if pod.RestartPolicy != corev1.RestartPolicyNever || *pod.TerminationGracePeriodSeconds < 30 || len(pod.Containers) != 1 {
		t.Errorf("restart policy %s, grace %d", pod.RestartPolicy, *pod.TerminationGracePeriodSeconds)
	}
	c := pod.Containers[0]
	actions := make(map[int32]batchv1.PodFailurePolicyAction)
	disruption := false
	for _, r := range spec.PodFailurePolicy.Rules {
		if r.OnExitCodes != nil {
			if *r.OnExitCodes.ContainerName != c.Name || r.OnExitCodes.Operator != batchv1.PodFailurePolicyOnExitCodesOpIn || !slices.IsSorted(r.OnExitCodes.Values) {
				t.Errorf("rule %+v", r.OnExitCodes)
			}
			for _, code := range r.OnExitCodes.Values {
				actions[code] = r.Action
			}
		}
		for _, p := range r.OnPodConditions {
			disruption = disruption || p.Type == corev1.DisruptionTarget && p.Status == corev1.ConditionTrue && r.Action == batchv1.PodFailurePolicyActionIgnore
		}
	}
	if len(actions) != 3 || actions[exitUsage] != batchv1.PodFailurePolicyActionFailIndex || actions[exitThreshold] != batchv1.PodFailurePolicyActionFailIndex ||
		actions[exitInterrupted] != batchv1.PodFailurePolicyActionIgnore || !disruption {
		t.Errorf("actions %v, disruptions ignored: %t", actions, disruption)
	}
	if c.Env[0].Name != "PFGMGEN_SHARD_COUNT" || c.Env[0].Value != fmt.Sprint(tasks) {
		t.Errorf("environment %v", c.Env)
	}
	if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
		t.Errorf("resources %v", c.Resources)
	}
	return c
}

func TestEmitKubernetes(t *testing.T) {
	for _, text := range odd {
		file := emitted(t, []string{"k8s", "--image", "pfgmgen:1", "--tasks", "3", "--claim", "data:/data", "--gpus", "2", "--time", "90m", "--memory", "6G", "--secret", "s"},
			append(labelled(text, "/data/"+text+"x"), "--device", "cuda:0"))
		var job batchv1.Job
		if err := yaml.UnmarshalStrict([]byte(file), &job); err != nil {
			t.Fatalf("%v:\n%s", err, file)
		}
		c := checkJob(t, job.Spec, 3)
		want := append([]string{"pfgmgen", "run", "--array", "auto"}, append(labelled(text, "/data/"+text+"x"), "--device", "cuda:0")...)
		if got := expanded(t, c.Command); !slices.Equal(got, want) {
			t.Errorf("command %q, want %q", got, want)
		}
		if job.APIVersion != "batch/v1" || job.Kind != "Job" || job.Name != "pfgmgen" || *job.Spec.ActiveDeadlineSeconds != 5400 {
			t.Errorf("%s %s %s for %d s", job.APIVersion, job.Kind, job.Name, *job.Spec.ActiveDeadlineSeconds)
		}
		gpus := c.Resources.Limits["nvidia.com/gpu"]
		if gpus.Value() != 2 || c.Resources.Limits.Memory().Value() != 6<<30 || c.VolumeMounts[0].MountPath != "/data" ||
			job.Spec.Template.Spec.Volumes[0].PersistentVolumeClaim.ClaimName != "data" || c.EnvFrom[0].SecretRef.Name != "s" {
			t.Errorf("container %+v", c)
		}
	}
}

// recorder is a directory with a program that writes its arguments into a file, each with a NUL after it, and ends with
// the status that the variable STATUS gives.
func recorder(t *testing.T, names ...string) (dir string, calls func() [][]string) {
	t.Helper()
	dir = t.TempDir()
	log := filepath.Join(dir, "log")
	for _, name := range names {
		script := "#!/bin/sh\nprintf '%s\\0' " + name + " \"$@\" >>" + shellWord(log) + "\nprintf '\\0\\n\\0' >>" + shellWord(log) + "\n[ " + name + " != sbatch ] || echo 17\n[ " + name + " != pfgmgen ] || exit ${STATUS:-0}\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() [][]string {
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		var out [][]string
		for _, call := range strings.Split(strings.TrimSuffix(string(data), "\x00\x00\n\x00"), "\x00\x00\n\x00") {
			out = append(out, strings.Split(call, "\x00"))
		}
		os.Remove(log)
		return out
	}
}

// with runs a command where programs of dir come first.
func with(dir string, cmd *exec.Cmd, env ...string) (string, error) {
	cmd.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH")), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestEmitCronJob(t *testing.T) {
	for _, text := range odd {
		file := emitted(t, []string{"cronjob", "--image", "pfgmgen:1", "--tasks", "3", "--schedule", "30 1 * * 1-5"}, labelled(text, "s3://b/"+text+"{date}"+text))
		var cron batchv1.CronJob
		if err := yaml.UnmarshalStrict([]byte(file), &cron); err != nil {
			t.Fatalf("%v:\n%s", err, file)
		}
		if cron.Kind != "CronJob" || cron.Spec.Schedule != "30 1 * * 1-5" || cron.Spec.ConcurrencyPolicy != batchv1.ForbidConcurrent || *cron.Spec.TimeZone != "Etc/UTC" {
			t.Errorf("%s %+v", cron.Kind, cron.Spec)
		}
		c := checkJob(t, cron.Spec.JobTemplate.Spec, 3)
		if c.Env[1].Name != "JOB_NAME" || c.Env[1].ValueFrom.FieldRef.FieldPath != "metadata.labels['batch.kubernetes.io/job-name']" {
			t.Errorf("environment %v", c.Env)
		}
		dir, calls := recorder(t, "pfgmgen")
		words := expanded(t, append(slices.Clone(c.Command), c.Args...))
		// 2026-01-31 02:00 UTC in minutes.
		if out, err := with(dir, exec.Command(words[0], words[1:]...), "JOB_NAME=pfgmgen-29497080"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		want := []string{"pfgmgen", "run", "--array", "auto", "--model", "images-mnist", "--label", text, "--workers", "1", "--seed", "20260131", "--out", "s3://b/" + text + "2026-01-31" + text}
		if got := calls(); len(got) != 1 || !slices.Equal(got[0], want) {
			t.Errorf("ran %q, want %q", got, want)
		}
		if out, err := with(dir, exec.Command(words[0], words[1:]...), "JOB_NAME=by-hand"); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := calls(); !regexp.MustCompile(`20[0-9-]{8}`).MatchString(got[0][len(got[0])-1]) {
			t.Errorf("ran %q", got)
		}
	}
}

func TestEmitSlurm(t *testing.T) {
	for _, text := range odd {
		file := filepath.Join(t.TempDir(), "job.sh")
		script := emitted(t, []string{"slurm", "--tasks", "3", "--time", "26h", "--gpus", "1", "--queue", "long"}, append(labelled(text, "o"+text), "--min-valid", "0.5", "--device", "cuda:0"))
		if err := os.WriteFile(file, []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("bash", "-n", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, script)
		}
		for _, want := range []string{"--array=0-2", "--time=1-02:00:00", "--gres=gpu:1", "--partition=long", "--requeue", "--signal=B:USR1@60", "--mem=2048M"} {
			if !strings.Contains(script, "\n#SBATCH "+want+"\n") {
				t.Errorf("no line #SBATCH %s", want)
			}
		}
		dir, calls := recorder(t, "pfgmgen", "sbatch", "scontrol")
		// Outside of a task it submits itself and the finalize job, which runs what --wrap says.
		if out, err := with(dir, exec.Command("bash", file)); err != nil || out != "submitted 3 tasks as job 17, then job 17\n" {
			t.Fatalf("%v: %s", err, out)
		}
		got := calls()
		if len(got) != 2 || !slices.Equal(got[0], []string{"sbatch", "--parsable", file}) || got[1][2] != "--dependency=afterok:17" {
			t.Fatalf("submitted %q", got)
		}
		wrap, _ := strings.CutPrefix(got[1][len(got[1])-1], "--wrap=")
		if out, err := with(dir, exec.Command("sh", "-c", wrap)); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := calls(); !slices.Equal(got[0], []string{"pfgmgen", "finalize", "o" + text, "--min-valid", "0.5"}) {
			t.Errorf("finalizes with %q", got)
		}
		// In a task it runs pfgmgen and ends as it does; nothing is requeued without a warning.
		for _, status := range []int{0, 1, exitInterrupted} {
			cmd := exec.Command("bash", file)
			out, _ := with(dir, cmd, "SLURM_ARRAY_TASK_ID=1", "SLURM_JOB_ID=18", fmt.Sprintf("STATUS=%d", status))
			got := calls()
			want := append([]string{"pfgmgen", "run", "--array", "auto"}, append(labelled(text, "o"+text), "--min-valid", "0.5", "--device", "cuda:0")...)
			if cmd.ProcessState.ExitCode() != status || len(got) != 1 || !slices.Equal(got[0], want) {
				t.Errorf("status %d, want %d: ran %q, said %s", cmd.ProcessState.ExitCode(), status, got, out)
			}
		}
	}
}

// A signal to the shell of a Slurm task is passed on as it should be, and the task is requeued after a warning only.
func TestEmitSlurmSignals(t *testing.T) {
	script := emitted(t, []string{"slurm"}, []string{"--domain", "rna", "-n", "400", "--shard-rows", "100", "--out", "o"})
	for _, tc := range []struct {
		signal  string
		env     []string
		status  int // of the task
		requeue bool
	}{
		{"USR1", nil, exitInterrupted, true},
		{"USR1", []string{"SLURM_RESTART_COUNT=100"}, exitInterrupted, false},
		{"TERM", nil, 0, false}, // Slurm sends TERM to pfgmgen itself
	} {
		dir, calls := recorder(t, "scontrol", "sleep")
		program := "#!/bin/bash\ntrap 'exit 75' TERM\nkill -" + tc.signal + " $PPID\nfor i in 1 2 3 4 5; do read -t 0.2 <> <(:); done\nexit 0\n"
		for name, text := range map[string]string{"pfgmgen": program, "job.sh": script} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("bash", filepath.Join(dir, "job.sh"))
		out, _ := with(dir, cmd, append(tc.env, "SLURM_ARRAY_JOB_ID=17", "SLURM_ARRAY_TASK_ID=1", "SLURM_JOB_ID=17")...)
		if got := cmd.ProcessState.ExitCode(); got != tc.status {
			t.Errorf("%s: exit %d, want %d: %s", tc.signal, got, tc.status, out)
		}
		if _, err := os.Stat(filepath.Join(dir, "log")); (err == nil) != tc.requeue {
			t.Errorf("%s %v: requeued: %t, want %t", tc.signal, tc.env, err == nil, tc.requeue)
		} else if tc.requeue {
			if got := calls(); !slices.Equal(got[0], []string{"scontrol", "requeue", "17_1"}) {
				t.Errorf("ran %q", got)
			}
		}
	}
}

func TestEmitAWSBatch(t *testing.T) {
	for _, text := range odd {
		file := filepath.Join(t.TempDir(), "job.sh")
		run := labelled(text, "s3://b/"+text)
		script := emitted(t, []string{"aws-batch", "--image", "pfgmgen:1", "--queue", "spot", "--tasks", "5", "--time", "1h", "--role", "arn:aws:iam::1:role/x"}, run)
		if err := os.WriteFile(file, []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
		dir, calls := recorder(t, "aws")
		if out, err := with(dir, exec.Command("sh", file)); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got := calls()
		if len(got) != 3 || got[0][2] != "register-job-definition" || !slices.Contains(got[1], "size=5") || !slices.Contains(got[1], "spot") {
			t.Fatalf("ran %q", got)
		}
		var definition struct {
			JobDefinitionName, Type string
			ContainerProperties     struct {
				Image, JobRoleArn    string
				Command              []string
				Environment          []struct{ Name, Value string }
				ResourceRequirements []struct{ Type, Value string }
			}
			RetryStrategy struct {
				Attempts       int
				EvaluateOnExit []struct{ OnExitCode, Action string }
			}
			Timeout struct{ AttemptDurationSeconds int }
		}
		dec := json.NewDecoder(strings.NewReader(got[0][len(got[0])-1]))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&definition); err != nil {
			t.Fatal(err)
		}
		want := append(append([]string{"pfgmgen", "run", "--array", "auto"}, run...), "--workers", "1")
		if c := definition.ContainerProperties; !slices.Equal(c.Command, want) || c.Environment[0].Value != "5" || len(c.ResourceRequirements) != 2 || definition.Timeout.AttemptDurationSeconds != 3600 {
			t.Errorf("%+v", definition)
		}
		var override struct{ Command []string }
		if err := json.Unmarshal([]byte(got[2][slices.Index(got[2], "--container-overrides")+1]), &override); err != nil || !slices.Equal(override.Command, []string{"pfgmgen", "finalize", "s3://b/" + text}) {
			t.Errorf("%v: %q", err, override)
		}
	}
}

func TestEmitSystemd(t *testing.T) {
	unquote := func(line string) []string { // as systemd does with what unitWord writes
		var words []string
		for _, m := range regexp.MustCompile(`"((?:[^"\\]|\\.)*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
			w := regexp.MustCompile(`\\x..|\\.`).ReplaceAllStringFunc(m[1], func(s string) string {
				var r rune
				if n, _ := fmt.Sscanf(s, `\x%02x`, &r); n == 1 {
					return string(r)
				}
				return s[1:]
			})
			words = append(words, strings.NewReplacer("%%", "%", "$$", "$").Replace(w+m[2]))
		}
		return words
	}
	for _, text := range odd {
		run := labelled(text, "/srv/"+text+"{date}"+text)
		file := emitted(t, []string{"systemd", "--cpus", "2", "--memory", "1G", "--time", "3h"}, run)
		_, line, _ := strings.Cut(file, "\nExecStart=")
		line, rest, _ := strings.Cut(line, "\n")
		if !strings.Contains(rest, "RestartPreventExitStatus=2 3\n") || !strings.Contains(rest, "CPUQuota=200%\nMemoryMax=1024M\n") || !strings.Contains(rest, "TimeoutStartSec=10800\n") {
			t.Errorf("the service:\n%s", file)
		}
		dir, calls := recorder(t, "pfgmgen")
		words := unquote(line)
		if out, err := with(dir, exec.Command(words[0], words[1:]...)); err != nil {
			t.Fatalf("%v: %s\n%q", err, out, words)
		}
		got := strings.Join(calls()[0], "\x00")
		want := regexp.QuoteMeta(strings.Join([]string{"pfgmgen", "run", "--model", "images-mnist", "--label", text, "--workers", "2", "--seed", ""}, "\x00")) + `20\d{6}` +
			regexp.QuoteMeta("\x00--out\x00/srv/"+text) + `20\d\d-\d\d-\d\d` + regexp.QuoteMeta(text)
		if !regexp.MustCompile("(?s)^" + want + "$").MatchString(got) {
			t.Errorf("ran %q, want %q", got, want)
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil && os.Getenv("CI") != "" {
		if out, err := exec.Command("sh", "-c", "apt-get update -q && apt-get install -qy --no-install-recommends systemd").CombinedOutput(); err != nil {
			t.Fatalf("systemd-analyze is missing and could not be installed: %v: %s", err, out)
		}
	} else if err != nil {
		without(t, "the rest wants systemd-analyze")
	}
	dir := t.TempDir()
	for _, unit := range []string{"service", "timer"} {
		text := emitted(t, []string{"systemd", "--unit", unit}, []string{"--domain", "rna", "--out", "/srv/{date}"})
		if err := os.WriteFile(filepath.Join(dir, "pfgmgen-rna."+unit), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("systemd-analyze", "verify", filepath.Join(dir, "pfgmgen-rna.service"), filepath.Join(dir, "pfgmgen-rna.timer")).CombinedOutput(); err != nil || strings.Contains(string(out), "pfgmgen-rna") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestEmitRefuses(t *testing.T) {
	image, rna := "--image=pfgmgen:1", []string{"--domain", "rna", "--out", "/data/rna"}
	for _, tc := range []struct {
		flags, run []string
		want       string
	}{
		{nil, nil, "want the kind of job, one of slurm, k8s"},
		{[]string{"slrm"}, rna, `"slrm" is not a kind of job, did you mean slurm?`},
		{[]string{"slurm"}, nil, "want --domain, --model or --config"},
		{[]string{"slurm"}, []string{"--domain", "rna"}, "want --out among them"},
		{[]string{"slurm"}, []string{"--domian", "rna", "--out", "o"}, "unknown flag --domian, did you mean --domain?"},
		{[]string{"slurm"}, []string{"--domain", "rna", "--out", "o", "-n", "x"}, "want a whole number"},
		{[]string{"slurm"}, []string{"--domain", "rna", "--out", "o", "--array", "1/2"}, "--array: leave it out"},
		{[]string{"slurm"}, []string{"--domain", "rna", "--out", "o", "more"}, `unexpected argument "more"`},
		{[]string{"slurm"}, []string{"--domain", "rna", "--out", "o\xff"}, "is no UTF-8 text"},
		{[]string{"slurm"}, []string{"--domain", "rna", "--out", "o/{date}"}, "{date} is for cronjob and systemd"},
		{[]string{"slurm", image}, rna, "--image is for k8s, cronjob, aws-batch, not for slurm"},
		{[]string{"slurm", "--tasks", "0"}, rna, "--tasks is 0, want 1 to 10000"},
		{[]string{"slurm", "--name", "My Job"}, rna, `--name "My Job": want at most 40 lower-case`},
		{[]string{"slurm", "--memory", "lots"}, rna, `--memory "lots": want a whole number of M or G`},
		{[]string{"slurm", "--time", "1m"}, rna, `--time "1m": want 5m to`},
		{[]string{"slurm", "--queue", "a b"}, rna, `--queue "a b": want letters`},
		{[]string{"slurm", "--gpus", "1"}, rna, "--gpus is 1, but the run is on the CPU; add --device cuda:0"},
		{[]string{"k8s"}, rna, "k8s needs --image"},
		{[]string{"k8s", image}, rna, "gone with its pod; give the volume that it is on, such as --claim data:/data"},
		{[]string{"k8s", image, "--claim", "data"}, rna, `--claim "data": want the name of a claim and a directory`},
		{[]string{"k8s", image, "--claim", "data:/other"}, rna, "is not on the volume of --claim, which is mounted at /other"},
		{[]string{"k8s", image}, []string{"--domain", "rna", "--out", "rna"}, "want an absolute path or a URL"},
		{[]string{"cronjob", image}, rna, "want {date} in it"},
		{[]string{"cronjob", image, "--schedule", "daily"}, []string{"--domain", "rna", "--out", "s3://b/{date}"}, "want the five fields of cron"},
		{[]string{"systemd", "--tasks", "2"}, []string{"--domain", "rna", "--out", "/o/{date}"}, "--tasks is 2, want 1"},
		{[]string{"systemd", "--unit", "socket"}, []string{"--domain", "rna", "--out", "/o/{date}"}, "want one of service, timer"},
		{[]string{"systemd", "--schedule", "a\nb"}, []string{"--domain", "rna", "--out", "/o/{date}"}, "want a time as OnCalendar"},
		{[]string{"systemd"}, []string{"--domain", "rna", "--out", "{date}"}, "want an absolute path"},
		{[]string{"aws-batch", image}, rna, "aws-batch needs --queue"},
		{[]string{"aws-batch", image, "--queue", "q"}, rna, "want a URL, such as s3://bucket/rna"},
		{[]string{"aws-batch", image, "--queue", "q", "--tasks", "1"}, []string{"--domain", "rna", "--out", "s3://b/x"}, "want at least 2"},
	} {
		args := append([]string{"emit"}, tc.flags...)
		stdout, stderr := mustRun(t, exitUsage, append(append(args, "--"), tc.run...)...)
		if !strings.Contains(stderr, tc.want) || stdout != "" {
			t.Errorf("%v -- %v: said %s, want ...%s...", tc.flags, tc.run, stderr, tc.want)
		}
	}
	if _, stderr := mustRun(t, 0, "emit", "slurm", "--", "--domain", "rna", "--out", "o"); !strings.Contains(stderr, "the run has 1 shard, so that only as many of the 4 tasks have work") {
		t.Errorf("said %s", stderr)
	}
}

// The environment of whoever writes a job is not that of its tasks.
func TestEmitIgnoresTheEnvironmentOfRun(t *testing.T) {
	t.Setenv("PFGMGEN_OUT", "elsewhere")
	if _, stderr := mustRun(t, exitUsage, "emit", "slurm", "--", "--domain", "rna"); !strings.Contains(stderr, "want --out among them") {
		t.Errorf("said %s", stderr)
	}
}
