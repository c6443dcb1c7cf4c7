"""Runs the release of examples/quickstart. The tests build on each other, in this order."""

import json
import os
import time

import pytest

from container import Container, wait_for
from deployment import Deployment
from release import VOLUMES

OLD, NEW = "3.2.2", "3.3.2"  # an upgrade that is taken back

COMPONENTS = [("airflow-dag-processor", "dag-processor"), ("airflow-dag-processor", "users-and-pools"), ("airflow-api-server", "api-server"),
              ("airflow-scheduler", "scheduler"), ("airflow-triggerer", "triggerer"), ("airflow-worker", "worker")]

SCHEDULER = ("airflow-scheduler", "scheduler")
MIGRATION = ("airflow-dag-processor", "wait-for-airflow-migrations")

DAG = """
from airflow.sdk import dag, task

@dag(schedule=None, description="{description}")
def {name}():
    @task
    def one():
        return 42

    @task
    def two(value):
        print("the answer is", value)

    two(one())

{name}()
"""

SLOW_DAG = """
import os, time
from airflow.sdk import dag, task

@dag(schedule=None)
def slow():
    @task
    def wait():
        while not os.path.exists("/opt/airflow/logs/finish"):
            time.sleep(0.5)
        print("finished in peace")

    wait()

slow()
"""


@pytest.fixture(scope="module")
def airflow(release, request):
    deployment = Deployment(release)
    yield deployment
    if request.session.testsfailed:
        deployment.show()
    deployment.stop()


def test_pgbouncer_and_the_broker_start(airflow):
    airflow.start("airflow-pgbouncer", "pgbouncer").wait_until_ready()
    broker = airflow.start("airflow-valkey", "valkey")
    broker.wait_until_ready()
    assert broker.probe("livenessProbe") is None
    assert "NOAUTH" in broker.execute(["valkey-cli", "ping"]).stdout


def test_two_replicas_migrate_a_new_database_through_pgbouncer(airflow, postgresql):
    replicas = [Container(airflow.release, *MIGRATION).start() for _ in range(2)]
    assert [replica.wait() for replica in replicas] == [0, 0], [replica.log() for replica in replicas]
    assert postgresql("SELECT count(*) FROM dag_run") == ["0"]


def test_all_components_start(airflow):
    airflow.push("first", DAG.format(name="first", description="of two tasks"))
    for pod, name in COMPONENTS:
        airflow.start(pod, name)


@pytest.mark.parametrize("name", [name for _, name in COMPONENTS])
def test_the_probes_pass(airflow, name):
    container = airflow.running[name]
    print(f"\n{name} is ready, {container.wait_until_ready():.0f} s after the one before")
    # Until the process has sent its first heartbeat
    wait_for("the liveness probe passes", lambda: container.probe("livenessProbe") is None)


def test_a_user_logs_in(airflow):
    assert not airflow.api.log_in("admin", "wrong")
    assert not airflow.api.get("/dags")
    assert airflow.log_in()
    assert airflow.api.get("/dags")
    health = airflow.api.get("/monitor/health")
    assert {part: health[part]["status"] for part in health} == dict.fromkeys(["metadatabase", "scheduler", "triggerer", "dag_processor"], "healthy")


def test_a_dag_runs_through_celery(airflow):
    wait_for("the DAG", lambda: airflow.api.get("/dags/first"))
    run = airflow.run_dag("first")
    for task in ("one", "two"):
        found = airflow.api.task("first", run, task)
        assert (found["state"], found["queue"], found["executor"] or "CeleryExecutor", found["try_number"]) == ("success", "default", "CeleryExecutor", 1)
    assert "dag_id=first" in airflow.running["worker"].log()
    assert "the answer is 42" in airflow.api.log("first", run, "two")


def test_a_pushed_dag_appears_and_changes(airflow):
    seconds = []
    for description in ("pushed", "changed"):
        begin = time.time()
        airflow.push("second", DAG.format(name="second", description=description))
        wait_for("the DAG", lambda: airflow.api.get("/dags/second").get("description") == description, pause=0.5)
        seconds.append(time.time() - begin)
    print("\na new DAG file showed after {:.0f} s, and a change of it after {:.0f} s".format(*seconds))


def test_changes_of_a_user_arrive(airflow, postgresql):
    container = airflow.release.container("airflow-dag-processor", "users-and-pools")
    variable = next(v for v in container["env"] if v["name"] == "AIRFLOW_ON_EKS_USERS")
    users = json.loads(variable["value"])
    airflow.release.change("airflow-secret", "airflow-admin-password", "another password/with $ and %")
    assert not airflow.log_in()
    changed = json.dumps([{**users[0], "email": "changed@example.com"}])
    airflow.start("airflow-dag-processor", "users-and-pools", variables={"AIRFLOW_ON_EKS_USERS": changed}).wait_until_ready()
    assert airflow.log_in()
    assert postgresql("SELECT username, email FROM ab_user") == ["admin|changed@example.com"]


def test_a_stopping_worker_finishes_its_task(airflow):
    airflow.push("slow", SLOW_DAG)
    wait_for("the DAG", lambda: airflow.api.get("/dags/slow"))
    run = airflow.api.trigger("slow")
    wait_for("the task runs", lambda: airflow.api.task("slow", run, "wait").get("state") == "running")
    worker = airflow.running["worker"]
    worker.terminate()
    wait_for("the worker stops", lambda: "Warm shutdown" in worker.log())
    assert worker.is_running()
    assert airflow.api.task("slow", run, "wait")["state"] == "running"
    (VOLUMES / "airflow-logs/finish").touch()
    assert worker.wait() == 0
    assert airflow.api.wait_for_state("slow", run) == "success"
    assert airflow.api.task("slow", run, "wait")["try_number"] == 1
    assert "finished in peace" in airflow.api.log("slow", run, "wait")
    airflow.start("airflow-worker", "worker").wait_until_ready()


READ_CONNECTION = """
from airflow.models import Connection
from airflow.utils.session import create_session
with create_session() as session:
    print("password:", session.query(Connection).filter_by(conn_id="kept").one().password)
"""


def test_fernet_keys_rotate(airflow, postgresql):
    body = {"connection_id": "kept", "conn_type": "http", "password": "as before"}
    assert airflow.api.request("POST", "/api/v2/connections", body)[0] == 201
    stored = "SELECT password FROM connection WHERE conn_id = 'kept'"
    before = postgresql(stored)
    assert "as before" not in before[0]

    old, new = airflow.release.value(*airflow.release.remote_key("airflow-fernet-key", "fernet-key")), os.urandom(16).hex()
    airflow.release.change("airflow-fernet-key", "fernet-key", f"{new},{old}")
    code, log = airflow.run(*SCHEDULER, arguments=["airflow", "rotate-fernet-key"])
    assert code == 0, log
    assert postgresql(stored) != before
    airflow.release.change("airflow-fernet-key", "fernet-key", new)
    assert "password: as before" in airflow.run(*SCHEDULER, arguments=["python", "-c", READ_CONNECTION])[1]


def test_old_records_are_deleted(airflow, postgresql):
    ran = [airflow.run_dag("first") for _ in range(2)]
    days = "now() - interval '200 days'"
    postgresql(f"UPDATE dag_run SET start_date = {days}, end_date = {days}, run_after = {days}, queued_at = {days} WHERE run_id = '{ran[0]}'")
    postgresql(f"INSERT INTO log (dttm, event) VALUES ({days}, 'old event'), (now(), 'new event')")
    code, log = airflow.run("airflow-database-cleanup", "database-cleanup")
    assert code == 0, log
    assert [run for run in ran if postgresql(f"SELECT 1 FROM dag_run WHERE run_id = '{run}'")] == ran[1:]
    assert postgresql("SELECT event FROM log WHERE event IN ('old event', 'new event')") == ["new event"]
    assert not postgresql("SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_airflow\\_deleted%'")


def run_all(airflow, version):
    """Replaces all components by those of a version, and runs a DAG."""
    airflow.stop([name for _, name in COMPONENTS])
    code, log = airflow.run(*MIGRATION, airflow=version)
    assert code == 0, log
    for pod, name in COMPONENTS:
        airflow.start(pod, name, airflow=version)
    for _, name in COMPONENTS:
        airflow.running[name].wait_until_ready()
    assert airflow.log_in()
    airflow.push("first", DAG.format(name="first", description=f"with Airflow {version}"))
    wait_for("the DAG", lambda: airflow.api.get("/dags/first").get("description") == f"with Airflow {version}")
    run = airflow.run_dag("first")
    assert "the answer is 42" in airflow.api.log("first", run, "two")


def test_an_upgrade_can_be_taken_back(airflow):
    """The older Airflow refuses the newer database, until the newer Airflow has downgraded it."""
    if airflow.release.airflow != NEW:
        run_all(airflow, NEW)
    airflow.stop([name for _, name in COMPONENTS])
    code, log = airflow.run(*MIGRATION, airflow=OLD, arguments=["airflow", "db", "check-migrations", "--migration-wait-timeout=5"])
    print(f"\nAirflow {OLD} on the database of {NEW}: exit code {code}, {log.strip().splitlines()[-1]}")
    assert code != 0
    # What the README describes: the job of the clean-up, with another image and other arguments
    downgrade = ["airflow", "db", "downgrade", "--to-version", OLD, "--yes"]
    code, log = airflow.run("airflow-database-cleanup", "database-cleanup", arguments=downgrade, airflow=NEW)
    assert code == 0, log
    print(f"Airflow {NEW} downgrades to {OLD} in {log.count('Running downgrade')} steps")
    run_all(airflow, OLD)
