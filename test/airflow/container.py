"""Containers as processes: each with its variables, arguments, mounts and user as rendered, in a mount namespace of its own."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from release import CACHE

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
POSTGRESQL = max(Path("/usr/lib/postgresql").iterdir(), key=lambda version: int(version.name))
LOGS = Path("/run/logs")

# Mounts pairs of paths up to `--`, then becomes what follows.
MOUNT = """mount -t tmpfs tmpfs /tmp
while [ "$1" != -- ]; do
  if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "$(dirname "$2")" && touch "$2"; fi
  mount --bind "$1" "$2" && shift 2
done
shift && cd "$DIRECTORY" && exec "$@"
"""


def wait_for(what, condition, patience=300, pause=1):
    """Waits until a condition holds, and returns what it returns. The patience is for a busy machine, and no measure."""
    begin = time.time()
    while not (result := condition()):
        assert time.time() - begin < patience, f"{what}: not after {patience} s"
        time.sleep(pause)
    return result


class Container:
    def __init__(self, release, pod, name, arguments=None, variables=None, airflow=None):
        """Of a rendered pod. Other arguments make it what `kubectl exec` or a changed deployment would run."""
        self.release, self.pod, self.name = release, pod, name
        self.spec = release.container(pod, name)
        image = image_of(self.spec["image"], airflow or release.airflow)
        has_command, command = release.command(pod, name)
        self.arguments = (image.get("entry_point", []) if arguments or not has_command else []) + (arguments or command)
        self.variables = {**image.get("variables", {}), **release.environment(pod, name), **(variables or {}), "DIRECTORY": image.get("directory", "/")}
        self.variables.setdefault("PATH", PATH)
        LOGS.mkdir(exist_ok=True)
        self.path = LOGS / f"{pod}.{name}.{len(list(LOGS.iterdir()))}.log"
        self.process = None

    def start(self):
        mounts = [path for pair in self.release.mounts(self.pod, self.name) for path in pair]
        with self.path.open("a") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-euc", MOUNT, "mount", *mounts, "--", *self._as_user(), *self.arguments],
                                            env=self.variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        return self

    def run(self, patience=300):
        """Runs it to its end: the exit code and the output."""
        return self.start().wait(patience), self.log()

    def execute(self, command, patience=120):
        """As `kubectl exec`."""
        enter = ["nsenter", "--mount", "--root", "--wd", "--target", str(self.process.pid), "--", *self._as_user()]
        return subprocess.run([*enter, *command], env=self.variables, capture_output=True, text=True, timeout=patience)

    def terminate(self):
        """As Kubernetes does it: dumb-init of the image passes the signal to all processes, or to the first one."""
        if self.is_running():
            (os.kill if self.variables.get("DUMB_INIT_SETSID") == "0" else os.killpg)(self.process.pid, signal.SIGTERM)
        return self

    def wait(self, patience=300):
        """The exit code."""
        return self.process.wait(patience)

    def stop(self, patience=30):
        try:
            self.terminate().wait(patience)
        except subprocess.TimeoutExpired:
            print(f"{self.name} has to be killed")
            os.killpg(self.process.pid, signal.SIGKILL)
            self.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.path.read_text(errors="replace")

    def probe(self, kind):
        """None if a probe passes or does not exist, else why it fails."""
        probe = self.spec.get(kind)
        if not probe:
            return None
        try:
            if "exec" in probe:
                done = self.execute(probe["exec"]["command"])
                return done.stdout + done.stderr if done.returncode else None
            if "httpGet" in probe:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port(probe['httpGet'])}{probe['httpGet']['path']}", timeout=60):
                    return None
            socket.create_connection(("127.0.0.1", self._port(probe["tcpSocket"])), 5).close()
            return None
        except (OSError, subprocess.TimeoutExpired) as error:
            return repr(error)

    def wait_until_ready(self, patience=600):
        """Waits for the startup and the readiness probe. Returns the seconds since the start of waiting."""
        begin, restarts = time.time(), 0

        def passes():
            nonlocal restarts
            if not self.is_running():  # Kubernetes starts it again
                restarts += 1
                assert restarts < 5, f"{self.name} ends:\n{self.log()[-3000:]}"
                print(f"{self.name} ended, and is started again:\n{self.log()[-500:]}")
                self.start()
            return self.probe("startupProbe") is None and self.probe("readinessProbe") is None
        wait_for(f"{self.name} is ready", passes, patience)
        return time.time() - begin

    def _port(self, probe):
        return next((p["containerPort"] for p in self.spec.get("ports") or [] if p.get("name") == probe["port"]), probe["port"])

    def _as_user(self):
        user, group = self.release.user(self.pod, self.name)
        return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--bounding-set=-all", "--no-new-privs"]


def image_of(name, airflow):
    """What an image adds to a container."""
    if re.search(r"/airflow:\d", name):
        variables = {"PATH": f"{CACHE}/airflow-{airflow}/bin:{PATH}", "HOME": "/home/airflow", "AIRFLOW_HOME": "/opt/airflow", "LANG": "C.UTF-8"}
        return {"entry_point": ["/entrypoint"], "directory": "/opt/airflow", "variables": variables}
    if "/postgres:" in name:
        return {"variables": {"PATH": f"{POSTGRESQL}/bin:{PATH}"}}
    return {"directory": "/data"} if "valkey" in name else {}
