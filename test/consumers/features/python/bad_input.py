"""Prints the error of each bad input, as a user of Python sees it."""
from typing import Any, Callable, Dict

from airflow_on_eks import (
    AirflowConnection, AirflowExecutor, AirflowImage, AirflowOnEks, AirflowPool, AirflowRole, AirflowUser, AlbIngressOptions, ComponentOptions,
    GitSyncOptions, PersistenceOptions, WorkerAutoscaling, WorkersOptions,
)
from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam

stack = Stack(App(), "Data")
cluster = eks.Cluster.from_cluster_attributes(
    stack, "Cluster",
    cluster_name="prod",
    vpc=ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-central-1a"], private_subnet_ids=["subnet-1"], private_subnet_route_table_ids=["rtb-1"],
    ),
    cluster_security_group_id="sg-1",
    open_id_connect_provider=iam.OpenIdConnectProvider.from_open_id_connect_provider_arn(
        stack, "Oidc", "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE",
    ),
    kubectl_provider=eks.KubectlProvider.from_kubectl_provider_attributes(
        stack, "Provider",
        function_arn="arn:aws:lambda:eu-central-1:123456789012:function:kubectl",
        kubectl_role_arn="arn:aws:iam::123456789012:role/kubectl",
        handler_role=iam.Role.from_role_arn(stack, "HandlerRole", "arn:aws:iam::123456789012:role/handler"),
    ),
)
file_system = efs.FileSystem.from_file_system_attributes(
    stack, "FileSystem", file_system_id="fs-1", security_group=ec2.SecurityGroup.from_security_group_id(stack, "SecurityGroup", "sg-2"),
)


def user(**options: Any) -> AirflowUser:
    return AirflowUser(username="ada", email="ada@example.com", **options)


BAD_INPUT: Dict[str, Callable[[], Dict[str, Any]]] = {
    "namespace": lambda: {"namespace": "kube-system"},
    "quantity": lambda: {"scheduler": ComponentOptions(memory="2GB")},
    "branch": lambda: {"git_sync": GitSyncOptions(repository="https://github.com/example/dags.git", branch="")},
    "percent": lambda: {"workers": WorkersOptions(autoscaling=WorkerAutoscaling.on_memory(max_replicas=3, target_memory_percent=0))},
    "host": lambda: {"ingress": AlbIngressOptions(host="*.example.com")},
    "secret": lambda: {"environment": {"DB_PASS": "x"}},
    "secret in a value": lambda: {"helm_values": {"scheduler": {"env": [{"name": "API_KEY", "value": "x"}]}}},
    "extra": lambda: {"connections": [AirflowConnection(id="a", type="http", extra="timeout=5")]},
    "duration": lambda: {"ready_timeout": Duration.millis(1500)},
    "image": lambda: {"image": AirflowImage.from_registry("apache/airflow:3.3.2", "3.3.2")},
    "without effect": lambda: {"executor": AirflowExecutor.KUBERNETES, "workers": WorkersOptions(replicas=3)},
    "file system": lambda: {"persistence": PersistenceOptions(file_system=file_system, removal_policy=RemovalPolicy.DESTROY)},
    "slots": lambda: {"pools": [AirflowPool(name="a", slots=0.5)]},
    "empty role": lambda: {"users": [user(role=AirflowRole.of(""))]},
    # jsii checks these types itself.
    "number as text": lambda: {"namespace": 1},
    "text as role": lambda: {"users": [user(role="Admin")]},
    "None in a list": lambda: {"users": [user(), None]},
    "None in a map": lambda: {"environment": {"STAGE": None}},
    "another object as cluster": lambda: {"cluster": cluster.vpc},
}

for index, (name, props) in enumerate(BAD_INPUT.items()):
    try:
        AirflowOnEks(stack, f"Airflow{index}", **{"cluster": cluster, "namespace": f"data-{index}", **props()})
        print(f"{name} | accepted")
    except Exception as error:  # the point is to see which one
        print(f"{name} | {str(error).splitlines()[0]}")
