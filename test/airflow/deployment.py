"""A running deployment, and its API."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from container import Container, wait_for
from release import VOLUMES

DAGS = VOLUMES / "dags/repo"


class Api:
    """The REST API of Airflow 3."""

    PATH, NEW_RUN = "/api/v2", {"logical_date": None}

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
        status, body = self.request("GET", self.PATH + path)
        return body if status == 200 else {}

    def trigger(self, dag):
        """The ID of a new run."""
        assert self.request("PATCH", f"{self.PATH}/dags/{dag}", {"is_paused": False})[0] == 200
        status, body = self.request("POST", f"{self.PATH}/dags/{dag}/dagRuns", self.NEW_RUN)
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
        tries = self.task(dag, run, task).get("try_number", 1)
        return json.dumps(self.get(f"/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{tries}"))


class Api2(Api):
    """The REST API of Airflow 2, which is open to those who logged in to its web UI."""

    PATH, NEW_RUN = "/api/v1", {}

    def log_in(self, username, password):
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"{self.url}/login/", timeout=120) as page:
            token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page.read().decode())[1]
        form = urllib.parse.urlencode({"username": username, "password": password, "csrf_token": token})
        with opener.open(f"{self.url}/login/", form.encode(), timeout=120):
            cookies = next(handler for handler in opener.handlers if isinstance(handler, urllib.request.HTTPCookieProcessor)).cookiejar
        self.headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in cookies)
        return self.request("GET", f"{self.PATH}/dags")[0] == 200


class Deployment:
    def __init__(self, release):
        self.release, self.running, self.api = release, {}, (Api2 if release.airflow.startswith("2.") else Api)()

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
