"""A rendered release as the pods see it: Secrets as the External Secrets operator writes them, volumes as folders."""

import json
import os
import re
import secrets
import subprocess
import tempfile
from pathlib import Path

import yaml

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
CACHE = Path(os.environ["AIRFLOW_TEST_CACHE"])
VOLUMES = Path("/run/volumes")
HOST = "airflow-test"
OUTSIDE = DATABASE, BROKER = "database.example.com", "broker.example.com"

# Expands each template with helm, which has the template functions of the operator.
EXPAND = """{{- $texts := dict }}{{- range $key, $text := .Values.templates }}
{{- $_ := set $texts $key (tpl $text (merge (dict "Template" $.Template) $.Values.variables)) }}{{- end }}{{ dict "texts" $texts | toJson }}"""


def expand(templates, variables):
    with tempfile.TemporaryDirectory() as chart:
        Path(chart, "templates").mkdir()
        Path(chart, "Chart.yaml").write_text(json.dumps({"apiVersion": "v2", "name": "templates", "version": "1.0.0"}))
        Path(chart, "values.yaml").write_text(json.dumps({"templates": templates, "variables": variables}))
        Path(chart, "templates", "all.json").write_text(EXPAND)
        helm = CACHE / "kubectl-layer/helm/helm"
        output = subprocess.run([helm, "template", "templates", chart], check=True, capture_output=True, text=True).stdout
    return json.loads(output[output.index("{"):])["texts"]


def in_container(text, variables):
    """As Kubernetes does it: a reference to a variable is expanded, and a double dollar is a dollar."""
    return re.sub(r"\$\$|\$\(([^)]*)\)", lambda m: "$" if m[0] == "$$" else variables.get(m[1], m[0]), text)


class Release:
    """The objects of a rendered file. What is in Secrets Manager is generated, and can be changed."""

    def __init__(self, path, airflow):
        """Runs the Airflow of another version than the rendered one if told so: `airflow` is that version."""
        self.airflow = airflow
        self.objects = {(o["kind"], o["name"]): o for o in yaml.safe_load_all(Path(path).read_text()) if "kind" in o}
        self.webhook = {}
        self.pods = {name: o["pod"] for (_, name), o in self.objects.items() if "pod" in o}
        self.remote = {}
        self.written = {}

    def value(self, key, field=None):
        """Of a secret in Secrets Manager, or of a field of it, as the library lets it be generated: 32 letters and digits."""
        return self.remote.setdefault((key, field), secrets.token_hex(16))

    def secret(self, name, key):
        return self._secret(name)[key]

    def remote_key(self, name, key):
        """The name and the field in Secrets Manager of that from which a key of a Kubernetes Secret is made."""
        external = self.objects["ExternalSecret", name]
        return next(_remote(d) for d in external["data"] if "." + d["secretKey"] in external["target"]["template"]["data"][key])

    def change(self, name, key, value):
        """Changes a secret in Secrets Manager. Containers that start from then on have it, and files that are mounted."""
        self.remote[self.remote_key(name, key)] = value
        self.written.clear()

    def update_mounted(self, pod):
        """Writes changed secrets into the volumes of a running pod, as Kubernetes does after a minute."""
        for container in self.pods[pod]["containers"]:
            list(self.mounts(pod, container["name"]))

    def _secret(self, name):
        if ("Secret", name) in self.objects:
            return self.objects["Secret", name]["data"]
        if name not in self.written:
            external = self.objects["ExternalSecret", name]
            variables = {d["secretKey"]: self.value(*_remote(d)) for d in external["data"]}
            self.written[name] = expand(external["target"]["template"]["data"], variables)
        return self.written[name]

    def container(self, pod, name):
        spec = self.pods[pod]
        return next(c for c in spec["containers"] + spec.get("initContainers", []) if c["name"] == name)

    def environment(self, pod, name):
        container, variables = self.container(pod, name), {"HOSTNAME": HOST}
        if "/airflow:" in container["image"]:
            variables.update(self.webhook)
        for source in container.get("envFrom") or []:
            variables.update(self._secret(source["secretRef"]["name"]))
        for entry in container.get("env") or []:
            source = entry.get("valueFrom")
            variables[entry["name"]] = (in_container(entry.get("value", ""), variables) if source is None
                                        else self.secret(source["secretKeyRef"]["name"], source["secretKeyRef"]["key"]))
        return variables

    def command(self, pod, name):
        """The command, unless it is the image's, and the arguments."""
        container, variables = self.container(pod, name), self.environment(pod, name)
        texts = [(PROJECT / a["file"]).read_text() if isinstance(a, dict) else in_container(a, variables)
                 for a in [*container.get("command", []), *container.get("args", [])]]
        return bool(container.get("command")), texts

    def user(self, pod, name):
        own, shared = self.container(pod, name).get("securityContext") or {}, self.pods[pod].get("securityContext") or {}
        user = own.get("runAsUser", shared.get("runAsUser"))
        return user, own.get("runAsGroup", shared.get("runAsGroup", shared.get("fsGroup", user)))

    def mounts(self, pod, name):
        """Pairs of what is mounted and where."""
        volumes = {v["name"]: v for v in self.pods[pod].get("volumes") or []}
        for mount in self.container(pod, name).get("volumeMounts") or []:
            source = self._folder(pod, volumes[mount["name"]], self.user(pod, name)) / mount.get("subPath", "")
            if source.exists():  # the chart mounts keys that are in no ConfigMap
                yield str(source), mount["mountPath"]

    def _folder(self, pod, volume, owner):
        """The folder of a volume. Claims, and the DAGs that git-sync writes into each pod, are one folder for all pods."""
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        folder = VOLUMES / (claim or ("dags" if volume["name"] in ("dags", "dags-data") else f"{pod}/{volume['name']}"))
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, *owner)
        for source in volume.get("projected", {}).get("sources", [volume]):
            for path, text in self._texts(source).items():
                (folder / path).write_text(text)
        return folder

    def _texts(self, source):
        """The files of a ConfigMap or a Secret."""
        if "configMap" in source:
            source = source["configMap"]
            texts = self.objects["ConfigMap", source["name"]]["data"]
        elif "secret" in source:
            source = source["secret"]
            texts = self._secret(source.get("secretName") or source["name"])
        else:
            return {}
        return {item["path"]: texts[item["key"]] for item in source["items"]} if "items" in source else texts

    def hosts(self):
        """The names of Services, and of what is outside the cluster, all of which are this machine."""
        names = [name + suffix for kind, name in self.objects if kind == "Service" for suffix in ("", ".airflow", ".airflow.svc.cluster.local")]
        return f"127.0.0.1 localhost {HOST} " + " ".join([*names, *OUTSIDE]) + "\n"


def _remote(data):
    return data["remoteRef"]["key"], data["remoteRef"].get("property")
