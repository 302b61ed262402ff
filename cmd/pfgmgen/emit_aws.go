package main

import (
	"encoding/json"
	"fmt"
)

func checkAWSBatch(j *job) error {
	if !isURL(j.Out) {
		return usageErrorf("--out %s: a task's own disk is gone when it ends; want a URL, such as s3://bucket/rna", j.Out)
	}
	if j.Tasks < 2 {
		return usageErrorf("--tasks is %d, want at least 2: AWS Batch has no arrays of one", j.Tasks)
	}
	return nil
}

// Definition is the job definition.
func (j *job) Definition() any {
	type object map[string]any
	resources := []object{{"type": "VCPU", "value": fmt.Sprint(j.CPUs)}, {"type": "MEMORY", "value": fmt.Sprint(j.MiB)}}
	if j.GPUs > 0 {
		resources = append(resources, object{"type": "GPU", "value": fmt.Sprint(j.GPUs)})
	}
	container := object{"image": j.Image, "command": j.Run(), "resourceRequirements": resources,
		"environment": []object{{"name": j.CountName(), "value": fmt.Sprint(j.Tasks)}}}
	if j.Role != "" {
		container["jobRoleArn"] = j.Role
	}
	d := object{"jobDefinitionName": j.Name, "type": "container", "containerProperties": container,
		// What is in no rule is tried again.
		"retryStrategy": object{"attempts": j.Attempts, "evaluateOnExit": []object{
			{"onExitCode": fmt.Sprint(exitUsage), "action": "EXIT"},
			{"onExitCode": fmt.Sprint(exitThreshold), "action": "EXIT"},
		}}}
	if j.Seconds > 0 {
		d["timeout"] = object{"attemptDurationSeconds": j.Seconds}
	}
	return d
}

// Override is what the finalize job does instead.
func (j *job) Override() any { return map[string]any{"command": j.Finalize()} }

func jsonText(v any) (string, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return string(b), err
}

const awsBatchFile = `#!/bin/sh
# Makes a dataset in {{.Tasks}} tasks (pfgmgen emit aws-batch). sh THIS-FILE registers the job definition and submits the tasks and,
# after them, a job that finishes the dataset. Submitted again, it makes what is missing.
set -eu

definition=$(aws batch register-job-definition --query jobDefinitionArn --output text --cli-input-json {{json .Definition | word}})

tasks=$(aws batch submit-job --job-name {{.Name}} --job-queue {{word .Queue}} --job-definition "$definition" \
	--array-properties size={{.Tasks}} --query jobId --output text)

last=$(aws batch submit-job --job-name {{.Name}}-finalize --job-queue {{word .Queue}} --job-definition "$definition" \
	--depends-on "jobId=$tasks" --container-overrides {{json .Override | word}} --query jobId --output text)

echo "submitted {{.Tasks}} tasks as job $tasks, then job $last"
`
