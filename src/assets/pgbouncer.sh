#!/bin/sh
# Starts PgBouncer with the credentials from the mounted secrets, and reloads it when they change.
set -eu
umask 077
secrets=/run/secrets/database

# The content of a secret, in which a quotation mark stands twice.
quoted() {
  sed "s/$1/$1$1/g" "$secrets/$2"
}

write() {
  printf '"%s" "%s"\n' "$CLIENT_USER" "$(quoted '"' client-password)" > /tmp/users.txt
  printf "[databases]\n%s user='%s' password='%s'\n" "$SERVER" "$(quoted "'" server-user)" "$(quoted "'" server-password)" > /tmp/databases.ini
}

known=$(cat "$secrets"/*)
write
while sleep 5; do
  current=$(cat "$secrets"/*)
  if [ "$current" != "$known" ]; then
    known=$current
    write
    kill -HUP $$
  fi
done &
exec pgbouncer /etc/pgbouncer/pgbouncer.ini
