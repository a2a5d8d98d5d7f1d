#!/bin/sh
# Mark the runs that ended with the last worker and tell people of them, then run a worker until SIGTERM.
#
# A run whose worker was killed stays Running on the server for ever, and keeps the one place that
# its deployment has. Arguments go to `prefect worker start`.
set -eu
cd "$(dirname "$0")/.."
PYTHONPATH=. .venv/bin/python -P -c '
import sys
from flows.deployed.recovery import recover
from flows.settings import read_settings
recover(read_settings(), sys.argv[1], print)
' "$PREFECT_API_URL"
exec .venv/bin/python -P deploy/supervise_worker.py "$@"
