#!/bin/sh
# The Slurm job: one Prefect flow run, executed on this node.
#
# It becomes Prefect, so that SIGTERM from Slurm (preemption, or two minutes before the time limit)
# reaches Prefect itself. Prefect then stops the run and schedules it anew; the run continues from
# its journal and checkpoints in the next job.
set -eu
# The worker's own line to a run that it starts itself, on another machine than this.
unset PREFECT__CONTROL_PORT PREFECT__CONTROL_TOKEN
export PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR=reschedule
# Slurm runs a copy of this file; --chdir has set the working directory to the checkout. -P keeps
# the folder flows/ from hiding packages.
exec .venv/bin/python -P -m prefect flow-run execute "$PREFECT__FLOW_RUN_ID"
