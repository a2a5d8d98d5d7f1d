#!/bin/sh
# Read secrets from the files that NAME_FILE names into NAME, then become the command.
#
# A secret that is mounted as a file is in no image, no compose file and no `docker inspect`. An
# empty file is a secret that is not used.
set -eu

for name in OPENAI_API_KEY HF_TOKEN PACALOOM_ENDPOINT_KEYS PACALOOM_NOTIFY PACALOOM_REDIS_PASSWORD \
  PREFECT_API_AUTH_STRING PREFECT_SERVER_API_AUTH_STRING PREFECT_SERVER_DATABASE_PASSWORD; do
  file=$(printenv "${name}_FILE") || continue
  unset "${name}_FILE"
  if ! value=$(cat "$file"); then
    echo "pacaloom: error: ${name}_FILE names $file, which cannot be read. Mount the secret there," \
      "readable for user $(id -u), or leave ${name}_FILE out." >&2
    exit 2
  fi
  [ -z "$value" ] || export "$name=$value"
done

exec "$@"
