"""Runs the backup of the in-cluster database, and the program that creates a database on an existing server before PgBouncer starts."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from release import HERE, PROJECT

ODD = "air'flow \"x", "p'w\"d \\ $"


BACKUP = yaml.safe_load((HERE / "rendered/backup.yaml").read_text())
FOLDER = Path("/backup")


def superuser():
    return os.environ["POSTGRES_URL"].split(":")[2].split("@")[0]


def dump(password=None):
    """Runs the container of the backup that dumps the database."""
    user, container = str(BACKUP["securityContext"]["runAsUser"]), BACKUP["initContainers"][0]
    FOLDER.mkdir(exist_ok=True)
    os.chown(FOLDER, int(user), int(user))
    variables = {variable["name"]: variable.get("value", password or superuser()) for variable in container["env"]}
    return subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *container["command"]],
                          env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True)


def restore(file):
    """Runs the commands of the README, by a connection that needs a password."""
    command = re.search(r"airflow-postgresql-0 -- (sh -c \"pg_restore .*?\") < airflow.dump", (PROJECT / "README.md").read_text(), re.DOTALL)[1]
    return subprocess.run(["bash", "-c", f'{command} < "$0"', file], capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPASSWORD": superuser()})


def test_a_backup_is_restored(postgresql):
    rows = "SELECT dag.name, count(*), sum(run.id) FROM dag JOIN run ON run.dag = dag.id GROUP BY dag.name ORDER BY 1"
    postgresql("CREATE TABLE dag (id serial PRIMARY KEY, name text UNIQUE)")
    postgresql("CREATE TABLE run (id bigserial PRIMARY KEY, dag int REFERENCES dag, state json)")
    postgresql("INSERT INTO dag (name) SELECT 'dag ' || i FROM generate_series(1, 3) i")
    postgresql("INSERT INTO run (dag, state) SELECT i % 3 + 1, '{}' FROM generate_series(1, 10000) i")
    before = postgresql(rows)
    assert dump().returncode == 0
    [file] = FOLDER.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.dump", file.name)

    # As after an upgrade: other rows, and a schema that the backup does not know
    postgresql("DELETE FROM run WHERE id > 5")
    postgresql("ALTER TABLE dag ADD COLUMN later int; CREATE TABLE later (dag int REFERENCES dag)")
    done = restore(file)
    assert done.returncode == 0, done.stderr
    assert postgresql(rows) == before
    assert postgresql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1") == ["dag", "run"]
    postgresql("INSERT INTO run (dag) VALUES (1)")  # with the next number of the sequence

    half = FOLDER / "half"
    half.write_bytes(file.read_bytes()[:file.stat().st_size // 2])
    assert restore(half).returncode != 0
    assert postgresql("SELECT count(*) FROM run") == ["10001"]


def test_a_failed_backup_says_why(postgresql):
    done = dump("wrong")
    assert done.returncode != 0
    assert "password authentication failed" in done.stderr


@pytest.fixture(scope="module")
def server(postgresql):
    """Runs statements as a superuser, on a server with users of different permissions."""
    password = superuser()

    def sql(statement, database="postgres", user="postgres", password=password):
        variables = {**os.environ, "PGHOST": "127.0.0.1", "PGUSER": user, "PGPASSWORD": password}
        done = subprocess.run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", database, "--command", statement],
                              env=variables, check=True, capture_output=True, text=True)
        return done.stdout.split("\n")[:-1]
    sql("CREATE ROLE poor LOGIN PASSWORD 'poor'")
    sql("CREATE ROLE rich LOGIN CREATEDB PASSWORD 'rich'")
    sql("CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD 'master'")
    sql("CREATE DATABASE there OWNER poor")
    return sql


def prepare(database, user, password, admin=None, admin_password=None, port="5432"):
    """The exit code and the output."""
    admins = {"ADMIN_USER": admin, "ADMIN_PASSWORD": admin_password} if admin else {}
    done = subprocess.run(["bash", PROJECT / "src/assets/database-prepare.sh"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={
        "PATH": os.environ["PATH"], "PGHOST": "127.0.0.1", "PGPORT": port, "DATABASE_NAME": database, "DATABASE_USER": user, "DATABASE_PASSWORD": password, **admins,
    })
    return done.returncode, done.stdout


def owner(server, database):
    return server(f"SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = '{database}'")


def test_what_exists_is_not_changed(server):
    assert prepare("there", "poor", "poor", "master", "wrong") == (0, "")
    assert owner(server, "there") == ["poor|UTF8"]


def test_a_user_creates_the_database(server):
    for _ in range(2):
        assert prepare("rich-db", "rich", "rich")[0] == 0
    assert owner(server, "rich-db") == ["rich|UTF8"]


def test_an_administrator_creates_the_user_and_the_database(server):
    user, password = ODD
    assert prepare("odd", *ODD, "master", "master")[0] == 0
    assert owner(server, "odd") == [f"{user}|UTF8"]
    server("CREATE TABLE airflow (a int)", "odd", user, password)
    assert server("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname LIKE 'air%'") == ["f|f|f"]


def test_an_administrator_creates_the_user_of_a_database_that_exists(server):
    server("CREATE DATABASE empty")
    assert prepare("empty", "new", "new", "postgres", superuser())[0] == 0
    server("CREATE TABLE airflow (a int)", "empty", "new", "new")


@pytest.mark.parametrize("arguments, reasons", [
    (("missing", "poor", "poor"), ['database "missing" does not exist', "permission denied to create database", "'poor' may not create the database 'missing'"]),
    (("there", "poor", "wrong"), ['password authentication failed for user "poor"', "'poor' cannot connect to 'there': correct its secret"]),
    (("there", "nobody", "x"), ['password authentication failed for user "nobody"', "specify 'adminCredentials'"]),
    (("there", "nobody", "x", "master", "wrong"), ['password authentication failed for user "master"']),
    (("there", "poor", "poor", None, None, "1"), ["Connection refused", "'poor' cannot connect to 'there'"]),
], ids=["missing database", "wrong password", "missing user", "wrong password of the administrator", "missing server"])
def test_the_output_says_what_is_missing(server, arguments, reasons):
    code, output = prepare(*arguments)
    assert code != 0
    for reason in reasons:
        assert reason in output
