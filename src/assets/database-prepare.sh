#!/usr/bin/env bash
# Creates the database of Airflow, and as an administrator also its user, if they are missing. What exists is not changed.
# The variables PG* say where the server is. The last line of the output says what to do.
set -euo pipefail

as() { # USER PASSWORD DATABASE, with statements as the input, whose variables are the user of Airflow, its password and its database
  PGUSER=$1 PGPASSWORD=$2 psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$3" --file <(
    printf '\\getenv %s %s\n' user DATABASE_USER password DATABASE_PASSWORD database DATABASE_NAME
    cat
  )
}

connects() { # DATABASE
  as "$DATABASE_USER" "$DATABASE_PASSWORD" "$1" <<< 'SELECT;'
}

# Not from the default template, whose encoding may be another one.
create_database="SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''', :'database', :'user')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \\gexec"

! connects "$DATABASE_NAME" || exit 0

if [ -n "${ADMIN_USER:-}" ]; then
  # The owner of a database must be a role that its creator may become, which since PostgreSQL 16 does not follow from creating the role.
  as "$ADMIN_USER" "$ADMIN_PASSWORD" postgres <<< "
    SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', :'user', :'password') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \\gexec
    SELECT format('GRANT %I TO CURRENT_USER', :'user') FROM pg_roles WHERE rolname = current_user AND NOT rolsuper AND rolname <> :'user' \\gexec
    $create_database"
  as "$ADMIN_USER" "$ADMIN_PASSWORD" "$DATABASE_NAME" <<< "SELECT format('GRANT ALL ON SCHEMA public TO %I', :'user') \\gexec"
elif connects postgres 2>/dev/null; then
  as "$DATABASE_USER" "$DATABASE_PASSWORD" postgres <<< "$create_database" || {
    echo "The user '$DATABASE_USER' may not create the database '$DATABASE_NAME': create it, or specify 'adminCredentials'"
    exit 1
  }
fi

connects "$DATABASE_NAME" || {
  echo "The user '$DATABASE_USER' cannot connect to '$DATABASE_NAME': correct its secret, or create the user, or specify 'adminCredentials'"
  exit 1
}
