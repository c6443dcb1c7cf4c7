"""The database of all tests, and the line that counts them."""

import os
import subprocess
from pathlib import Path

import pytest

from container import Container
from release import HERE, Release

counts = {"passed": 0, "failed": 0}


def pytest_runtest_logreport(report):
    if report.failed or (report.passed and report.when == "call"):
        counts["failed" if report.failed else "passed"] += 1


def pytest_collectreport(report):
    counts["failed"] += report.failed


def pytest_unconfigure():
    print(f"{counts['passed']} passed, {counts['failed']} failed", flush=True)


@pytest.fixture(scope="session")
def release():
    release = Release(HERE / "rendered/quickstart.yaml", os.environ["AIRFLOW_TEST_DEFAULT"])
    Path("/etc/hosts").write_text(release.hosts())
    return release


@pytest.fixture(scope="session", autouse=True)
def postgresql(release):
    code, log = Container(release, "airflow-postgresql", "prepare").run()
    assert code == 0, log
    container = Container(release, "airflow-postgresql", "postgresql").start()
    container.wait_until_ready()
    password = release.secret("airflow-secret", "postgresql-password")
    os.environ["POSTGRES_URL"] = f"postgresql://postgres:{password}@127.0.0.1:5432"

    def sql(statement):
        """Rows of the deployment's database, as text."""
        url = os.environ["POSTGRES_URL"] + "/airflow"
        done = subprocess.run(["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", url, "--command", statement],
                              check=True, capture_output=True, text=True)
        return done.stdout.split("\n")[:-1]
    yield sql
    container.stop()
