#!/bin/bash
# Makes a dataset in 8 tasks (pfgmgen emit slurm). To submit the tasks and, after them, a job that finishes the dataset:
#
#   bash THIS-FILE
#
# in the directory from which pfgmgen is to start. Submitted again, it makes what is missing.
# sbatch --array=1,3 THIS-FILE submits some tasks only.

#SBATCH --job-name=pfgmgen-rna
#SBATCH --array=0-7
#SBATCH --output=pfgmgen-rna-%A_%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=B:USR1@60
#SBATCH --cpus-per-task=4
#SBATCH --mem=4096M
#SBATCH --time=0-04:00:00

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then # not a task: submit
	tasks=$(sbatch --parsable "$0") || exit
	tasks=${tasks%%;*} # a federation adds the name of the cluster
	last=$(sbatch --parsable --dependency="afterok:$tasks" --kill-on-invalid-dep=yes \
		--job-name=pfgmgen-rna-finalize --output=pfgmgen-rna-%j.log --mem=4096M --time=0-04:00:00 \
		--wrap='exec pfgmgen finalize rna') || exit
	echo "submitted 8 tasks as job $tasks, then job ${last%%;*}"
	exit
fi

# The ids of the whole array, whichever of them were submitted.
export PFGMGEN_SHARD_COUNT=8

# 60 seconds before the time limit Slurm sends USR1 to this shell: stop, and go on in a new place in the queue. When it
# ends a task for another reason it sends TERM to this shell and to pfgmgen, and decides itself whether to requeue.
child= warned= ended=
trap 'warned=yes; [ -z "$child" ] || kill -TERM "$child"' USR1
trap ended=yes TERM

pfgmgen run --array auto --domain rna -n 1000000 --out rna --workers 4 &
child=$!
[ -z "$warned" ] || kill -TERM "$child"

# A signal ends wait, not pfgmgen.
while wait "$child"; status=$?; [ "$status" -gt 128 ] && kill -0 "$child" 2>/dev/null; do :; done
wait "$child"; status=$? # of a child that ended between the two

if [ "$status" -eq 75 ] && [ -n "$warned" ] && [ -z "$ended" ]; then
	if [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
		# By array and task: SLURM_JOB_ID is the number of the whole array in one of its tasks.
		scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && sleep 60 # Slurm ends this shell
	else
		echo "stopped by the time limit 100 times: raise --time, or make shards smaller (--shard-rows)" >&2
	fi
fi
exit "$status"
