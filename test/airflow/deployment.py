"""A running deployment, and its API."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from container import Container, wait_for
from release import VOLUMES

DAGS = VOLUMES / "dags/repo"


class Api:
    """The REST API of Airflow 3."""

    def __init__(self, url="http://127.0.0.1:8080"):
        self.url, self.headers = url, {"Content-Type": "application/json", "Accept": "application/json"}

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, self.headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def log_in(self, username, password):
        status, body = self.request("POST", "/auth/token", {"username": username, "password": password})
        if status == 201:
            self.headers["Authorization"] = f"Bearer {body['access_token']}"
        return status == 201

    def get(self, path):
        """Empty if there is no such thing."""
        status, body = self.request("GET", f"/api/v2{path}")
        return body if status == 200 else {}

    def trigger(self, dag):
        """The ID of a new run."""
        assert self.request("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})[0] == 200
        status, body = self.request("POST", f"/api/v2/dags/{dag}/dagRuns", {"logical_date": None})
        assert status == 200, body
        return body["dag_run_id"]

    def wait_for_state(self, dag, run, states=("success", "failed")):
        def state():
            found = self.get(f"/dags/{dag}/dagRuns/{run}").get("state")
            return found in states and found
        return wait_for(f"the run of {dag} is one of {states}", state)

    def task(self, dag, run, task):
        return self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}")

    def log(self, dag, run, task):
        return json.dumps(self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/1"))


class Deployment:
    def __init__(self, release):
        self.release, self.running, self.api = release, {}, Api()

    def start(self, pod, name, **options):
        """Starts a container, in place of an earlier one."""
        if name in self.running:
            self.running.pop(name).stop()
        self.running[name] = Container(self.release, pod, name, **options).start()
        return self.running[name]

    def run(self, pod, name, **options):
        """Runs a container to its end: the exit code and the output."""
        return Container(self.release, pod, name, **options).run()

    def log_in(self):
        return self.api.log_in("admin", self.release.secret("airflow-secret", "airflow-admin-password"))

    def push(self, name, text):
        """What git-sync does with a pushed file."""
        DAGS.mkdir(parents=True, exist_ok=True)
        Path(DAGS, f"{name}.py").write_text(text)

    def show(self):
        for name, container in self.running.items():
            print(f"\n=== {name}, running: {container.is_running()}\n{container.log()[-2000:]}")

    def run_dag(self, dag):
        run = self.api.trigger(dag)
        assert self.api.wait_for_state(dag, run) == "success"
        return run

    def stop(self, names=None):
        """All, or those of some names, at once."""
        stopped = [self.running.pop(name) for name in names or reversed(list(self.running)) if name in self.running]
        for container in stopped:
            container.terminate()
        for container in stopped:
            container.stop()
