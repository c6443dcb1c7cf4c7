"""
Runs the release of examples/production, and Airflow 2 with the same database, broker and logs. The tests build on each other, in this order.

Database and broker are servers with TLS, whose authority is not Amazon's: the machine trusts it, as images trust Amazon's, and it takes the place
of Amazon RDS's in the ConfigMap of PgBouncer. AWS_ENDPOINT_URL leads the clients of Amazon S3 to a server of this machine.
"""

import base64
import json
import os
import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from container import wait_for
from deployment import Deployment
from outside import Authority, Broker, Database, Storage
from release import BROKER, DATABASE, HERE, VOLUMES, Release

OFFICIAL = ["airflow-dag-processor", "airflow-scheduler", "airflow-triggerer", "airflow-worker", "airflow-flower"]

# The Airflow of each release, and its pods, of which the first one migrates the database.
RELEASES = {
    "production": ("3.3.2", [*OFFICIAL, "airflow-api-server"]),
    "managed-2.11.2": ("2.11.2", [*OFFICIAL, "airflow-webserver"]),
    "managed-2.8.4": ("2.8.4", ["airflow-db-migrations", "airflow-sync-users", "airflow-scheduler", "airflow-triggerer", "airflow-worker",
                                "airflow-flower", "airflow-web"]),
}

# Only delete files, the first one by a script of the image.
NOT_RUN = ["dag-processor-log-groomer", "log-cleanup"]

FINISH = Path("/run/finish")

DAG = """
import datetime, pathlib, time
try:
    from airflow.sdk import BaseOperator, dag, task
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
except ImportError:
    from airflow.decorators import dag, task
    from airflow.models.baseoperator import BaseOperator
    from airflow.triggers.temporal import TimeDeltaTrigger

class Deferred(BaseOperator):
    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(datetime.timedelta(seconds=1)), method_name="resume")

    def resume(self, context, event):
        print("resumed")

# Busy machines answer the first request of a task too late.
RETRIES = {{"retries": 3, "retry_delay": datetime.timedelta(seconds=1)}}

@dag(schedule=None, start_date=datetime.datetime(2026, 1, 1), default_args=RETRIES)
def logged():
    @task
    def tell():
        print("the task has begun", flush=True)
        while not pathlib.Path("{finish}").exists():
            time.sleep(0.5)
        print("the task is at its end")

    Deferred(task_id="wait") >> tell()

logged()
"""


@pytest.fixture(scope="module", params=RELEASES)
def release(request):
    version, _ = RELEASES[request.param]
    release = Release(HERE / f"rendered/{request.param}.yaml", version)
    Path("/etc/hosts").write_text(release.hosts())
    return release


@pytest.fixture(scope="module")
def authority():
    authority = Authority("ours")
    authority.trust()
    return authority


@pytest.fixture(scope="module")
def stranger():
    return Authority("unknown")


@pytest.fixture(scope="module")
def postgresql(release):
    database = Database(release.secret("airflow-postgresql", "password"))
    yield database
    database.stop()


@pytest.fixture(scope="module")
def broker(release):
    url = release.secret("airflow-broker-url", "connection")
    assert url.startswith("rediss://:") and f"@{BROKER}:6379/0?ssl_cert_reqs=required" in url
    broker = Broker(release.value(*release.remote_key("airflow-broker-url", "connection")))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def storage(release):
    storage = Storage()
    release.webhook = storage.variables()
    yield storage
    storage.stop()


@pytest.fixture(scope="module")
def airflow(release, authority, storage, request):
    release.objects["ConfigMap", "airflow-pgbouncer"]["data"]["server-ca.pem"] = authority.certificate.read_text()
    FINISH.unlink(missing_ok=True)
    deployment = Deployment(release)
    yield deployment
    if request.session.testsfailed:
        deployment.show()
    deployment.stop()


def pods_of(release):
    return next(pods for version, pods in RELEASES.values() if version == release.airflow)


def containers_of(release):
    return [(pod, c["name"]) for pod in pods_of(release) for c in release.pods[pod]["containers"] if c["name"] not in NOT_RUN]


def test_pgbouncer_verifies_the_database(airflow, postgresql, authority, stranger):
    password = airflow.release.secret("airflow-secret", "postgresql-password")
    ask = ["psql", f"postgresql://airflow:{password}@airflow-pgbouncer:6432/airflow", "--command", "SELECT 1"]
    for reason, certificate in [("certificate verify failed", stranger.sign(DATABASE, "postgres")),
                                (f"name `{DATABASE}' not present", authority.sign("other.example.com", "postgres"))]:
        postgresql.start(*certificate)
        pgbouncer = airflow.start("airflow-pgbouncer", "pgbouncer")
        pgbouncer.wait_until_ready()
        client = subprocess.Popen(ask, stdout=subprocess.DEVNULL)  # waits, because another certificate may come
        wait_for(reason, lambda: reason in pgbouncer.log())
        client.kill()
        os.kill(pgbouncer.process.pid, signal.SIGINT)  # as Kubernetes does; at SIGTERM it waits for connections
        pgbouncer.wait()
    postgresql.start(*authority.sign(DATABASE, "postgres"))
    airflow.start("airflow-pgbouncer", "pgbouncer").wait_until_ready()
    assert subprocess.run(ask, stdout=subprocess.DEVNULL).returncode == 0


def test_the_database_is_migrated_through_pgbouncer(airflow, postgresql):
    migrating, other = pods_of(airflow.release)[:2]
    if migrating == "airflow-db-migrations":
        airflow.start(migrating, "db-migrations")
    for pod in (migrating, other):
        for container in airflow.release.pods[pod]["initContainers"]:
            code, log = airflow.run(pod, container["name"])
            assert code == 0, log
    assert postgresql.sql("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'airflow'") == ["t"]


def test_the_worker_verifies_the_broker(airflow, broker, authority, stranger):
    broker.start(*stranger.sign(BROKER, "nobody"))
    worker = airflow.start(*next(container for container in containers_of(airflow.release) if container[0] == "airflow-worker"))
    wait_for("the worker refuses the authority", lambda: "unable to get local issuer certificate" in worker.log())
    broker.start(*authority.sign("other.example.com", "nobody"))
    wait_for("the worker refuses the host", lambda: "ostname mismatch" in worker.log())
    assert "ready" not in worker.log()
    broker.start(*authority.sign(BROKER, "nobody"))
    wait_for("the worker is ready", lambda: " ready." in worker.log())


def test_all_components_start(airflow):
    airflow.push("logged", DAG.format(finish=FINISH))
    for pod, name in containers_of(airflow.release):
        if name not in airflow.running:
            airflow.start(pod, name)
    for _, name in containers_of(airflow.release):
        print(f"\n{name} is ready, {airflow.running[name].wait_until_ready():.0f} s after the one before")
    wait_for("a user logs in", airflow.log_in)
    assert not Deployment(airflow.release).api.log_in("admin", "wrong")


def test_flower_sees_the_worker(airflow):
    variables = airflow.running[next(name for pod, name in containers_of(airflow.release) if pod == "airflow-flower")].variables
    header = base64.b64encode(variables["AIRFLOW__CELERY__FLOWER_BASIC_AUTH"].encode()).decode()
    request = urllib.request.Request("http://127.0.0.1:5555/api/workers?refresh=1", headers={"Authorization": f"Basic {header}"})

    def workers():
        with urllib.request.urlopen(request, timeout=60) as answer:
            return list(json.load(answer))
    assert wait_for("a worker in Flower", workers) == ["celery@airflow-test"]


def test_the_log_of_a_running_task_comes_from_its_pod_and_then_from_the_bucket(airflow, storage):
    wait_for("the DAG", lambda: airflow.api.get("/dags/logged"))
    run = airflow.api.trigger("logged")
    wait_for("the beginning", lambda: "the task has begun" in airflow.api.log("logged", run, "tell"))
    assert airflow.api.task("logged", run, "tell")["state"] == "running"
    assert not [key for key in storage.keys() if "task_id=tell" in key]
    assert list(VOLUMES.glob("*/*/dag_id=logged/*/task_id=tell/*"))

    FINISH.touch()
    assert airflow.api.wait_for_state("logged", run) == "success"
    wait_for("the upload", lambda: [key for key in storage.keys() if "task_id=tell" in key])
    assert [key.split("/")[0] for key in storage.keys()] == ["airflow"] * len(storage.keys())
    wait_for("the local file is deleted", lambda: not list(VOLUMES.glob("*/*/dag_id=logged/*/task_id=tell/*")))
    log = airflow.api.log("logged", run, "tell")
    assert "the task has begun" in log and "the task is at its end" in log
    assert "resumed" in airflow.api.log("logged", run, "wait")


def test_the_log_of_a_trigger_comes_from_the_bucket(airflow, storage):
    if airflow.release.airflow == "2.11.2":  # whose triggerer does not recognize the S3 handler of the Amazon provider 9
        assert "fired: TriggerEvent" in airflow.running["triggerer"].log()
        return
    wait_for("the upload", lambda: [key for key in storage.keys() if "task_id=wait" in key and ".trigger." in key])
    run = airflow.api.get("/dags/logged/dagRuns")["dag_runs"][0]["dag_run_id"]
    assert "TriggerEvent" in airflow.api.log("logged", run, "wait")


def test_a_rotated_password_of_the_database_is_survived(airflow, postgresql):
    """PgBouncer keeps its connections when it learns the password, and needs it for new ones."""
    processes = {name: container.process.pid for name, container in airflow.running.items()}
    rotated = "another one/with ' and \" and %"
    postgresql.sql("ALTER ROLE airflow PASSWORD '{}'".format(rotated.replace("'", "''")))
    airflow.release.change("airflow-postgresql", "password", rotated)
    airflow.release.update_mounted("airflow-pgbouncer")
    wait_for("PgBouncer reads the password", lambda: "SIGHUP, re-reading config" in airflow.running["pgbouncer"].log())
    FINISH.touch()
    [moment] = postgresql.sql("SELECT now()")
    postgresql.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'airflow' AND state = 'idle'")
    run = airflow.api.trigger("logged")
    assert airflow.api.wait_for_state("logged", run) == "success"
    assert postgresql.sql(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'airflow' AND backend_start > '{moment}'") == ["t"]
    assert {name: container.process.pid for name, container in airflow.running.items() if container.is_running()} == processes
