#!/bin/sh
# Makes a dataset in 8 tasks (pfgmgen emit aws-batch). sh THIS-FILE registers the job definition and submits the tasks and,
# after them, a job that finishes the dataset. Submitted again, it makes what is missing.
set -eu

definition=$(aws batch register-job-definition --query jobDefinitionArn --output text --cli-input-json '{
  "containerProperties": {
    "command": [
      "pfgmgen",
      "run",
      "--array",
      "auto",
      "--domain",
      "rna",
      "-n",
      "1000000",
      "--out",
      "s3://bucket/rna",
      "--workers",
      "4"
    ],
    "environment": [
      {
        "name": "PFGMGEN_SHARD_COUNT",
        "value": "8"
      }
    ],
    "image": "pfgmgen:1",
    "resourceRequirements": [
      {
        "type": "VCPU",
        "value": "4"
      },
      {
        "type": "MEMORY",
        "value": "4096"
      }
    ]
  },
  "jobDefinitionName": "pfgmgen-rna",
  "retryStrategy": {
    "attempts": 5,
    "evaluateOnExit": [
      {
        "action": "EXIT",
        "onExitCode": "2"
      },
      {
        "action": "EXIT",
        "onExitCode": "3"
      }
    ]
  },
  "timeout": {
    "attemptDurationSeconds": 14400
  },
  "type": "container"
}')

tasks=$(aws batch submit-job --job-name pfgmgen-rna --job-queue spot --job-definition "$definition" \
	--array-properties size=8 --query jobId --output text)

last=$(aws batch submit-job --job-name pfgmgen-rna-finalize --job-queue spot --job-definition "$definition" \
	--depends-on "jobId=$tasks" --container-overrides '{
  "command": [
    "pfgmgen",
    "finalize",
    "s3://bucket/rna"
  ]
}' --query jobId --output text)

echo "submitted 8 tasks as job $tasks, then job $last"
