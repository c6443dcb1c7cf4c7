"""What examples/production has outside the cluster, as servers of this machine: the database and the broker with TLS, and Amazon S3."""

import os
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from container import POSTGRESQL, wait_for
from release import BROKER, CACHE, DATABASE

FOLDER = Path("/run/outside")
FOLDER.mkdir()
BUCKET = "logs"  # as in the rendered files


def call(*command, user="root", **options):
    return subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", *map(str, command)], check=True, capture_output=True, text=True, **options).stdout


class Authority:
    """A certificate authority, which only those trust that are told to."""

    def __init__(self, name):
        self.key, self.certificate = FOLDER / f"{name}.key", FOLDER / f"{name}.crt"
        call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def sign(self, host, owner):
        """The files of a certificate for a host, and of its key."""
        key, request, certificate = (FOLDER / f"{self.key.stem}-{host}.{kind}" for kind in ("key", "csr", "crt"))
        call("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
             "-keyout", key, "-out", request)
        call("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-days", "2", "-copy_extensions", "copyall",
             "-out", certificate)
        for file in (key, certificate):
            call("chown", owner, file)
        return certificate, key

    def trust(self):
        """Makes this machine trust it, as an image trusts the authorities of its system."""
        Path("/usr/local/share/ca-certificates", self.certificate.name).write_text(self.certificate.read_text())
        call("update-ca-certificates")


class Server:
    def __init__(self, *command, port, user="nobody"):
        self.command, self.port, self.user = command, port, user
        self.process = None

    def start(self, *options):
        self.stop()
        command = ["setpriv", f"--reuid={self.user}", "--clear-groups", *map(str, [*self.command, *options])]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(f"{self.command[0]} listens", self._listens, patience=60, pause=0.2)
        return self

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGINT)  # at once, also with clients
            self.process.wait(30)
            self.process = None

    def _listens(self):
        return subprocess.run(["bash", "-c", f": < /dev/tcp/127.0.0.1/{self.port}"], stderr=subprocess.DEVNULL).returncode == 0


class Database(Server):
    """PostgreSQL as Amazon Aurora gives it to its user: with the database, without a superuser, and only with TLS."""

    def __init__(self, password):
        self.data = Path(tempfile.mkdtemp(dir=FOLDER))
        super().__init__(f"{POSTGRESQL}/bin/postgres", "-D", self.data, "-k", "/run/postgresql", port=5432, user="postgres")
        call("install", "-d", "-o", "postgres", self.data, "/run/postgresql")
        call(f"{POSTGRESQL}/bin/initdb", "-D", self.data, "--auth=peer", "--encoding=UTF8", user="postgres")
        (self.data / "pg_hba.conf").write_text("local all postgres peer\nhostssl all airflow all scram-sha-256\n")
        self.start()
        self.sql(f"CREATE ROLE airflow LOGIN CREATEDB CREATEROLE PASSWORD '{password}'", "postgres")
        self.sql("CREATE DATABASE airflow OWNER airflow", "postgres")

    def start(self, certificate=None, key=None):
        return super().start(*(["-c", "ssl=on", "-c", f"ssl_cert_file={certificate}", "-c", f"ssl_key_file={key}"] if certificate else []))

    def sql(self, statement, database="airflow"):
        """Rows, as text."""
        return call("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--dbname", database, "--command", statement, user="postgres").split("\n")[:-1]


class Broker(Server):
    """Valkey as Amazon ElastiCache runs it: with TLS and a password only."""

    def __init__(self, password):
        super().__init__("valkey-server", "--port", "0", "--tls-port", "6379", "--tls-auth-clients", "no", "--requirepass", password,
                         "--save", "", "--dir", "/tmp", port=6379)

    def start(self, certificate, key):
        return super().start("--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate)


class Storage(Server):
    """Amazon S3 and AWS STS, for pods with the variables that Amazon EKS adds for the role of a service account."""

    URL = "http://127.0.0.1:5000"

    def __init__(self):
        super().__init__(CACHE / "tools/bin/moto_server", "--port", "5000", port=5000)
        self.start()
        urllib.request.urlopen(urllib.request.Request(f"{self.URL}/{BUCKET}", method="PUT")).close()

    def variables(self):
        token = FOLDER / "token"
        token.write_text("of the service account")
        return {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/airflow", "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": self.URL}

    def keys(self):
        with urllib.request.urlopen(f"{self.URL}/{BUCKET}?list-type=2") as answer:
            return [part.split("</Key>")[0] for part in answer.read().decode().split("<Key>")[1:]]
