#!/usr/bin/env bash
# Initializes an empty volume, and gives the user `postgres` the password of its secret, which may have changed since.
set -euo pipefail

# A start that is interrupted leaves nothing that looks like a database.
if [ ! -e "$PGDATA" ]; then
  rm -rf "$PGDATA.new"
  PGDATA=$PGDATA.new docker-ensure-initdb.sh
  mv "$PGDATA.new" "$PGDATA"
fi

# In single-user mode no client is connected yet, and the recovery after a crash takes the time that it needs.
password=$(< "$POSTGRES_PASSWORD_FILE")
printf "ALTER ROLE postgres PASSWORD '%s'\n" "${password//\'/\'\'}" |
  postgres --single -c exit_on_error=true -c log_min_error_statement=panic postgres >/dev/null
