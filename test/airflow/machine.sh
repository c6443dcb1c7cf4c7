#!/usr/bin/env bash
# A machine of its own for the tests: processes, network and host name apart, and files that are only in memory on top of the real ones.
# usage, by run.sh in new namespaces: machine.sh COMMAND..
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p /run/airflow-on-eks
mount -t tmpfs -o size=75% tmpfs /run/airflow-on-eks
root=/run/airflow-on-eks/root
mkdir /run/airflow-on-eks/{root,upper,work}
mount -t overlay -o lowerdir=/,upperdir=/run/airflow-on-eks/upper,workdir=/run/airflow-on-eks/work overlay $root
mount -t tmpfs tmpfs $root/tmp
for folder in /proc /dev /sys "$(realpath "$here/../..")" "$AIRFLOW_TEST_CACHE"; do # which may be file systems of their own
  mkdir -p "$root$folder"
  mount --rbind "$folder" "$root$folder"
done
for package in pgbouncer valkey-server; do
  mkdir $root/opt/$package
  mount --bind "$AIRFLOW_TEST_CACHE/$package" $root/opt/$package
done
hostname airflow-test
ip link set lo up

# What the images have.
install -m 755 "$here/images/airflow" $root/entrypoint
install -m 755 "$here/images/dumb-init" $root/usr/bin/dumb-init
install -m 755 "$here/images/postgresql" $root/usr/local/bin/docker-ensure-initdb.sh
install -m 755 "$here/images/pgbouncer" $root/usr/local/bin/pgbouncer
install -m 755 "$here/images/valkey-server" $root/usr/local/bin/valkey-server
install -m 755 "$here/images/valkey-cli" $root/usr/local/bin/valkey-cli
mkdir -p $root/{home/airflow,opt/airflow,var/lib/postgresql/data,data}
chown 50000:0 $root/{home/airflow,opt/airflow}
{ getent passwd | grep -vE '^[^:]*:[^:]*:50000:'; echo 'airflow:x:50000:0::/home/airflow:/bin/bash'; } > $root/run/passwd
cp $root/run/passwd $root/etc/passwd
exec chroot $root env --chdir="$PWD" "$@"
