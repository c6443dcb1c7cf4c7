"""A database of an Airflow for users_and_pools.py, and the program as a process.

Needs, in the environment:
- AIRFLOW_PYTHONS, Python interpreters with Airflow, separated by colons: venvs/3.3.2/bin/python:venvs/2.11.2/bin/python;
- POSTGRES_URL, a server on which databases may be made: postgresql://postgres@127.0.0.1:5432 (without a database).
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
ASSETS = HERE.parent.parent / "src" / "assets"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
END = ("done:", "trying again")
_numbers = itertools.count()


def user(username, **fields):
    """A user as in the list, with the password itself."""
    return {"username": username, "email": f"{username}@example.com", "firstName": "First", "lastName": "Last", "role": "Viewer",
            "password": f"secret of {username}", **fields}


class Process:
    """The program as a process of its own."""

    def __init__(self, command, environment, ready):
        self.ready, self.lines = ready, []
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def wait_for(self, *words, patience=180):
        """Waits for a line that has one of the words."""
        begin = time.time()
        while not any(word in line for line in self.lines for word in words):
            assert time.time() - begin < patience and self.process.poll() is None, self.lines
            time.sleep(0.1)
        return self

    def stop(self):
        """Stops it as Kubernetes does, and returns the time that takes."""
        begin = time.time()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.time() - begin


class Deployment:
    """A database of an Airflow, and an agent inside that Airflow."""

    def __init__(self, python, database, folder):
        self.python, self.folder = python, folder
        self.environment = {
            "PATH": f"{Path(python).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__AUTH_MANAGER": FAB,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"{os.environ['POSTGRES_URL'].replace('postgresql:', 'postgresql+psycopg2:')}/{database}",
            "PYTHONPATH": f"{ASSETS}:{folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.agent = None
        self.processes = []

    def __call__(self, name, *arguments):
        """A function of the agent."""
        if self.agent is None:
            self.agent = subprocess.Popen([self.python, HERE / "users_agent.py"], env=self.environment, text=True,
                                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=(self.folder / "agent.log").open("a"))
        print(json.dumps([name, arguments]), file=self.agent.stdin, flush=True)
        answer = json.loads(self.agent.stdout.readline() or '{"error": "the agent has ended, see agent.log"}')
        assert "error" not in answer, answer
        return answer["answer"]

    def sql(self, statement, **parameters):
        return self("sql", statement, parameters)

    def apply(self, users=(), pools=()):
        """Runs the program once inside the agent; nothing that it says may be a secret."""
        listed, passwords = self._listed(users)
        result = self("apply", listed, list(pools), passwords)
        said = json.dumps(result)
        assert not [secret for secret in [*passwords.values(), "scrypt:", "pbkdf2:"] if secret and secret in said]
        return result

    def start(self, users=(), pools=(), retry=1, **environment):
        """Runs the program as a process, which tries again after a second instead of a minute."""
        listed, passwords = self._listed(users)
        ready = self.folder / f"ready-{next(_numbers)}"
        code = f"import pathlib, users_and_pools as u; u.RETRY_SECONDS = {retry}; u.main(pathlib.Path('{ready}'))"
        lists = {"AIRFLOW_ON_EKS_USERS": json.dumps(listed), "AIRFLOW_ON_EKS_POOLS": json.dumps(list(pools))}
        merged = {**self.environment, "PYTHONPATH": f"{ASSETS}:{self.folder}", **lists, **passwords, **environment}
        self.processes.append(Process([self.python, "-c", code], {k: v for k, v in merged.items() if v is not None}, ready))
        return self.processes[-1]

    @staticmethod
    def _listed(users):
        names = [f"TEST_PASSWORD_{next(_numbers)}" for _ in users]
        listed = [{**{k: v for k, v in one.items() if k != "password"}, "passwordVariable": name} for one, name in zip(users, names)]
        return listed, {name: one["password"] for one, name in zip(users, names)}

    def accounts(self):
        """All there is about the accounts, by user name."""
        rows = self.sql("SELECT u.username, u.*, (SELECT array_agg(r.name) FROM ab_user_role x JOIN ab_role r ON r.id = x.role_id"
                        " WHERE x.user_id = u.id) FROM ab_user u")
        return {row[0]: row[1:] for row in rows}

    def account(self, username):
        row = self.sql("SELECT username, email, first_name, last_name, active FROM ab_user WHERE username = :name", name=username)
        return row and row[0]

    def pools(self):
        return {row[0]: row[1:] for row in self.sql("SELECT pool, slots, description, include_deferred, id FROM slot_pool")}

    def reset(self):
        for table in ("ab_user_role", "airflow_on_eks_managed", "session"):
            if self.sql("SELECT to_regclass(:table)", table=table) != [[None]]:
                self.sql(f"DELETE FROM {table}")
        self.sql("UPDATE ab_user SET created_by_fk = NULL, changed_by_fk = NULL")
        self.sql("DELETE FROM ab_user")
        own = "(SELECT id FROM ab_role WHERE name NOT IN ('Admin', 'Op', 'User', 'Viewer', 'Public'))"
        self.sql(f"DELETE FROM ab_permission_view_role WHERE role_id IN {own}")
        self.sql(f"DELETE FROM ab_role WHERE id IN {own}")
        self.sql("DELETE FROM slot_pool WHERE pool <> 'default_pool'")

    def close(self):
        for running in self.processes:
            if running.process.poll() is None:
                running.process.kill()
        if self.agent:
            self.agent.stdin.close()
            self.agent.wait(30)


class Airflow:
    """An installed Airflow, with a migrated database as the template of others."""

    def __init__(self, python, folder):
        self.python, self.folder = python, folder
        self.name = f"users_and_pools_{os.getpid()}_{next(_numbers)}"
        self.databases, self.deployments = [], []
        self.template = self.deploy(template="template1")
        subprocess.run([python, "-m", "airflow", "db", "migrate"], env=self.template.environment, check=True, capture_output=True, text=True)

    def admin(self, statement):
        code = "import sys, psycopg2; c = psycopg2.connect(sys.argv[1]); c.autocommit = True; c.cursor().execute(sys.argv[2])"
        subprocess.run([self.python, "-c", code, f"{os.environ['POSTGRES_URL']}/postgres", statement], check=True)

    def deploy(self, template=None):
        """A new deployment with an empty database."""
        database = f"{self.name}_{len(self.databases)}"
        self.admin(f'CREATE DATABASE "{database}" TEMPLATE "{template or self.databases[0]}"')
        self.databases.append(database)
        folder = self.folder / database
        folder.mkdir()
        self.deployments.append(Deployment(self.python, database, folder))
        return self.deployments[-1]

    def close(self):
        for deployment in self.deployments:
            deployment.close()
        for database in self.databases:
            self.admin(f'DROP DATABASE "{database}" WITH (FORCE)')
