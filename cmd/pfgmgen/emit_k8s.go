package main

import (
	"path"
	"regexp"
	"strings"
)

var (
	claimText = regexp.MustCompile(`^([a-z0-9][-a-z0-9.]*):(/.*)$`)
	cronText  = regexp.MustCompile(`^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[0-9A-Za-z*/,?-]+( [0-9A-Za-z*/,?-]+){4})$`)
)

// checkKubernetes makes sure that the dataset outlives its pods.
func checkKubernetes(j *job) error {
	if err := j.checkAbsolute("Kubernetes"); err != nil {
		return err
	}
	if j.o.given("claim") {
		m := claimText.FindStringSubmatch(j.o.claim)
		if m == nil || path.Clean(m[2]) == "/" || strings.ContainsRune(m[2], ':') {
			return usageErrorf("--claim %q: want the name of a claim and a directory, such as data:/data", j.o.claim)
		}
		j.Claim, j.Mount = m[1], path.Clean(m[2])
	}
	if isURL(j.Out) {
		return nil
	}
	if j.Mount == "" {
		return usageErrorf("--out %s is a directory, which is gone with its pod; give the volume that it is on, such as --claim data:%s, or a URL", j.Out, path.Dir(path.Clean(j.Prefix+"x")))
	}
	if below := path.Clean(j.Out); below != j.Mount && !strings.HasPrefix(below, j.Mount+"/") {
		return usageErrorf("--out %s is not on the volume of --claim, which is mounted at %s", j.Out, j.Mount)
	}
	return nil
}

func checkCronJob(j *job) error {
	if !j.o.given("schedule") {
		j.Schedule = "0 2 * * *"
	}
	if !cronText.MatchString(j.Schedule) {
		return usageErrorf("--schedule %q: want the five fields of cron, such as '0 2 * * *' (minute, hour, day, month, weekday)", j.Schedule)
	}
	return checkKubernetes(j)
}

func jobFile() string {
	return `# Makes a dataset in {{.Tasks}} tasks (pfgmgen emit k8s): kubectl apply -f THIS-FILE. The last task finishes the dataset. To make what is
# missing after a failure, kubectl delete job {{.Name}}, and apply it again.
apiVersion: batch/v1
kind: Job
metadata:
  name: {{.Name}}
  labels:
    app.kubernetes.io/name: pfgmgen
    app.kubernetes.io/instance: {{.Name}}
spec:
` + indent(jobSpec, "  ")
}

func cronJobFile() string {
	return `# Makes a dataset in {{.Tasks}} tasks on schedule (pfgmgen emit cronjob): kubectl apply -f THIS-FILE. The last task finishes the dataset.
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{.Name}}
  labels:
    app.kubernetes.io/name: pfgmgen
    app.kubernetes.io/instance: {{.Name}}
spec:
  schedule: {{yaml .Schedule}}
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
` + indent(jobSpec, "      ")
}

// jobSpec is the spec of a Job, without the indentation of where it stands.
//
// Exit 75 is an interruption, which says nothing against the task; 2 and 3 would come again. Everything else is tried again,
// a few times for each index.
const jobSpec = `completionMode: Indexed
completions: {{.Tasks}}
parallelism: {{.Tasks}}
backoffLimitPerIndex: {{.Attempts}}
{{- if .Seconds}}
activeDeadlineSeconds: {{.Seconds}}
{{- end}}
ttlSecondsAfterFinished: 604800
podFailurePolicy:
  rules:
  - action: FailIndex # wrong usage, or a dataset below --min-valid: trying again changes nothing
    onExitCodes:
      containerName: pfgmgen
      operator: In
      values: [{{.Codes.Usage}}, {{.Codes.Threshold}}]
  - action: Ignore # interrupted: goes on in a new pod
    onExitCodes:
      containerName: pfgmgen
      operator: In
      values: [{{.Codes.Interrupted}}]
  - action: Ignore # evicted or preempted
    onPodConditions:
    - type: DisruptionTarget
      status: "True"
template:
  metadata:
    labels:
      app.kubernetes.io/name: pfgmgen
      app.kubernetes.io/instance: {{.Name}}
  spec:
    restartPolicy: Never
    terminationGracePeriodSeconds: {{.Grace}}
    automountServiceAccountToken: false
    securityContext:
      runAsNonRoot: true
      runAsUser: 65532
      runAsGroup: 65532
      fsGroup: 65532
      seccompProfile:
        type: RuntimeDefault
    containers:
    - name: pfgmgen
      image: {{yaml .Image}}
{{- if .Dated}}
      # The day is that of the schedule, with which the name of the Job ends, in minutes since 1970: a pod that starts after
      # midnight, or again, makes the same dataset. (Kubernetes makes one $ of two.)
      command:
      - /bin/sh
      - -euc
      - |
        before=$$1 after=$$2; shift 2
        minutes=$${JOB_NAME##*-}
        case $$minutes in
        *[!0-9]*) seconds=$$(date +%s) ;; # a Job made by hand
        *) seconds=$$((minutes * 60)) ;;
        esac
        day=$$(date -u -d "@$$seconds" +%Y-%m-%d)
        exec pfgmgen run --array auto "$$@"{{if not .SeedGiven}} --seed "$$(echo "$$day" | tr -d -)"{{end}} --out "$$before$$day$$after"
      - sh
      args:
      - {{kube .Prefix}}
      - {{kube .Suffix}}
{{- range .Args}}
      - {{kube .}}
{{- end}}
{{- else}}
      command:
{{- range .Run}}
      - {{kube .}}
{{- end}}
{{- end}}
      env:
      - name: {{.CountName}}
        value: "{{.Tasks}}"
{{- if .Dated}}
      - name: JOB_NAME
        valueFrom:
          fieldRef:
            fieldPath: metadata.labels['batch.kubernetes.io/job-name']
{{- end}}
{{- if .Secret}}
      envFrom:
      - secretRef:
          name: {{yaml .Secret}}
{{- end}}
      resources:
        requests:
          cpu: "{{.CPUs}}"
          memory: {{.MiB}}Mi
        limits:
          memory: {{.MiB}}Mi
{{- if .GPUs}}
          nvidia.com/gpu: "{{.GPUs}}"
{{- end}}
      securityContext:
        allowPrivilegeEscalation: false
        capabilities:
          drop: [ALL]
{{- if .Claim}}
      volumeMounts:
      - name: out
        mountPath: {{yaml .Mount}}
    volumes:
    - name: out
      persistentVolumeClaim:
        claimName: {{yaml .Claim}}
{{- end}}
`

// indent moves lines of a template to the right, but for actions that stand alone.
func indent(text, by string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if line != "" && !strings.HasPrefix(line, "{{-") {
			lines[i] = by + line
		}
	}
	return strings.Join(lines, "")
}
