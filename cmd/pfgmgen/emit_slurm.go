package main

import (
	"fmt"
	"time"
)

func checkSlurm(*job) error { return nil }

// SlurmTime is the time limit as Slurm writes it.
func (j *job) SlurmTime() string {
	d := time.Duration(j.Seconds) * time.Second
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	return fmt.Sprintf("%d-%02d:%02d:%02d", days, rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second)
}

// slurmFile is the job of the tasks and, run outside of one, what submits it. The warning is USR1, to the shell alone:
// when Slurm itself ends a task (requeue, scancel, preemption), it sends TERM to all of its processes, and a shell that
// passed that on would interrupt pfgmgen twice.
const slurmFile = `#!/bin/bash
# Makes a dataset in {{.Tasks}} tasks (pfgmgen emit slurm). To submit the tasks and, after them, a job that finishes the dataset:
#
#   bash THIS-FILE
#
# in the directory from which pfgmgen is to start. Submitted again, it makes what is missing.
# sbatch --array=1,3 THIS-FILE submits some tasks only.

#SBATCH --job-name={{.Name}}
#SBATCH --array=0-{{.Last}}
#SBATCH --output={{.Name}}-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@{{.Grace}}
#SBATCH --cpus-per-task={{.CPUs}}
#SBATCH --mem={{.MiB}}M
{{- if .GPUs}}
#SBATCH --gres=gpu:{{.GPUs}}
{{- end}}
{{- if .Seconds}}
#SBATCH --time={{.SlurmTime}}
{{- end}}
{{- if .Queue}}
#SBATCH --partition={{.Queue}}
{{- end}}

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then # not a task: submit
	tasks=$(sbatch --parsable "$0") || exit
	tasks=${tasks%%;*} # a federation adds the name of the cluster
	last=$(sbatch --parsable --dependency="afterok:$tasks" --kill-on-invalid-dep=yes \
		--job-name={{.Name}}-finalize --output={{.Name}}-%j.log --mem={{.MiB}}M{{if .Seconds}} --time={{.SlurmTime}}{{end}}{{if .Queue}} --partition={{.Queue}}{{end}} \
		--wrap={{word (print "exec " (words .Finalize))}}) || exit
	echo "submitted {{.Tasks}} tasks as job $tasks, then job ${last%%;*}"
	exit
fi

# The ids of the whole array, whichever of them were submitted.
export {{.CountName}}={{.Tasks}}

# {{.Grace}} seconds before the time limit Slurm sends USR1 to this shell: stop, and go on in a new place in the queue. When it
# ends a task for another reason it sends TERM to this shell and to pfgmgen, and decides itself whether to requeue.
child= warned= ended=
trap 'warned=yes; [ -z "$child" ] || kill -TERM "$child"' USR1
trap ended=yes TERM

{{words .Run}} &
child=$!
[ -z "$warned" ] || kill -TERM "$child"

# A signal ends wait, not pfgmgen.
while wait "$child"; status=$?; [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do :; done
wait "$child"; status=$? # of a child that ended between the two

if [ "$status" -eq {{.Codes.Interrupted}} ] && [ -n "$warned" ] && [ -z "$ended" ]; then
	if [ "${SLURM_RESTART_COUNT:-0}" -lt {{.Restarts}} ]; then
		# By array and task: SLURM_JOB_ID is the number of the whole array in one of its tasks.
		scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60 # Slurm ends this shell
	else
		echo "stopped by the time limit {{.Restarts}} times: raise --time, or make shards smaller (--shard-rows)" >&2
	fi
fi
exit "$status"
`
