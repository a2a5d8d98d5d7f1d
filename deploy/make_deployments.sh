#!/bin/sh
# Make the work pool `local` and all deployments of prefect.yaml on the server that PREFECT_API_URL
# names.
#
#   deploy/make_deployments.sh TEMPLATE [VARIABLE=VALUE ...]     as deploy/make_work_pool.py
#
# The pool is called as in prefect.yaml, whatever it runs on. Running this again renews pool and
# deployments; runs and their history stay.
set -eu
cd "$(dirname "$0")/.."
# -P keeps the folder flows/ from hiding packages; Prefect adds what it needs itself.
.venv/bin/python -P deploy/make_work_pool.py local "$@"
exec .venv/bin/python -P -m prefect --no-prompt deploy --all
