#!/bin/sh
# Execute a Prefect flow run as a Slurm job, and be there for as long as the job lives.
#
# A process worker of the pool in deploy/work-pools/slurm.json starts this in place of the flow run,
# on a machine that has sbatch, squeue and scancel, with options for sbatch as arguments; those
# without a value (--partition=) are left out. Checkout and outputs are on a shared file system.
#
# - The job executes the run with `prefect flow-run execute`: it hears of a cancellation itself.
# - SIGTERM (Prefect cancels, or the worker stops) ends the job: first by itself, then by scancel.
# - The exit status is the job's.
#
# The functions are called by a trap:
# shellcheck disable=SC2329
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)
run=${PREFECT__FLOW_RUN_ID:?is set by a Prefect worker; start this through one}
# Found by this name: sbatch --wait says the job's number only when the job has ended.
name=pacaloom-$run
user=$(id -un)
logs=${PACALOOM_OUTPUTS:-$root/outputs}/logs/slurm
# How long a job may take to end by itself, then after SIGTERM. Prefect kills this script 30 s after
# its own SIGTERM.
own_seconds=6
term_seconds=16

for tool in sbatch squeue scancel; do
  if ! command -v "$tool" >/dev/null; then
    echo "pacaloom: error: no $tool on $(hostname). Start the worker of this pool where jobs are" \
      "submitted to Slurm." >&2
    exit 2
  fi
done
case ${PREFECT_API_URL:-} in
  *//localhost[:/]* | *//127.*)
    echo "pacaloom: warning: PREFECT_API_URL is $PREFECT_API_URL, which other nodes cannot reach." >&2
    ;;
esac

state() {
  squeue --noheader --user="$user" --name="$name" --format=%T 2>/dev/null | head -n 1
}

is_waiting() {
  kill -0 "$submission" 2>/dev/null
}

# Give the job so many seconds to leave the queue; says whether it has.
await_end() {
  seconds=$1
  while [ "$seconds" -gt 0 ] && is_waiting; do
    [ -n "$(state)" ] || return 0
    sleep 1
    seconds=$((seconds - 1))
  done
  [ -z "$(state)" ]
}

# To the script of the job only, which is Prefect: it stops the run and has it started again.
terminate() {
  scancel --user="$user" --name="$name" --batch --signal=TERM || true
}

stop_job() {
  trap '' HUP INT TERM
  # Submitted a moment ago, it may not be in the queue yet.
  while is_waiting && [ -z "$(state)" ]; do sleep 0.2; done
  status=143
  if [ "$(state)" = RUNNING ]; then
    if await_end "$own_seconds" || { terminate && await_end "$term_seconds"; }; then
      # Prefect in the job has said what became of the run; a failure would overrule it.
      status=0
    fi
  fi
  # Nothing happens when the job has ended; when squeue does not answer, it may not have.
  scancel --user="$user" --name="$name" || true
  # sbatch looks every few seconds; nothing is left for it to see.
  kill "$submission" 2>/dev/null || true
  exit "$status"
}

# Drop options without a value.
for option in "$@"; do
  shift
  case $option in *=) ;; *) set -- "$@" "$option" ;; esac
done

mkdir -p "$logs"
trap 'stop_job' HUP INT TERM
sbatch --wait --parsable --job-name="$name" --output="$logs/$name.log" --open-mode=append \
  --chdir="$root" --no-requeue --signal=B:TERM@120 "$@" "$root/deploy/slurm/job.sh" &
submission=$!
status=0
wait "$submission" || status=$?
if [ "$status" -ne 0 ]; then
  echo "pacaloom: error: the Slurm job $name ended with status $status; its log is" \
    "$logs/$name.log and ends:" >&2
  tail -n 20 "$logs/$name.log" >&2 || true
fi
exit "$status"
