#!/bin/sh
# Make the secret files of compose.yaml in deploy/secrets, once; those that exist stay.
#
# The folder is closed to other users. The files in it are readable for all, because a container's
# user, who is nobody on this machine, reads them by a mount of their own.
set -eu
folder=$(cd "$(dirname "$0")" && pwd -P)/secrets
mkdir -p "$folder"
chmod 700 "$folder"
for name in postgres-password grafana-password; do
  if [ ! -e "$folder/$name" ]; then
    head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$folder/$name"
    echo "Made $folder/$name."
  fi
done
for name in openai-api-key endpoint-keys hf-token notify; do
  if [ ! -e "$folder/$name" ]; then
    : > "$folder/$name"
    echo "Made $folder/$name, empty: write the key, or the addresses to notify, into it."
  fi
done
chmod 444 "$folder"/*
