from airflow_on_eks import (
    AirflowChart, AirflowConnection, AirflowExecutor, AirflowImage, AirflowOnEks, AirflowPool, AirflowRole, AirflowSecret,
    AirflowSecretsOptions, AirflowUser, AirflowVariable, AlbIngressOptions, AlbIngressScheme, AlbIngressTargetType, AlbListenPort,
    EfsCsiDriverSetup, ExistingNodesOptions, ExternalSecretsSetup, GitAuth, GitSyncOptions, KnownHosts, NodePlacement,
    NodePoolOptions, NodePoolsOptions, PersistenceOptions, Toleration, WorkerAutoscalingOptions, WorkersOptions,
)
from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy, Size, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_eks as eks
from aws_cdk import aws_eks_v2 as eksv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

account = "123456789012"
region = "eu-central-1"

app = App()


def vpc_of(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc",
        vpc_id="vpc-1",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=["subnet-1", "subnet-2"],
        private_subnet_route_table_ids=["rtb-1", "rtb-2"],
    )


def oidc_of(stack: Stack) -> iam.IOpenIdConnectProvider:
    return iam.OpenIdConnectProvider.from_open_id_connect_provider_arn(
        stack, "Oidc", f"arn:aws:iam::{account}:oidc-provider/oidc.eks.{region}.amazonaws.com/id/EXAMPLE",
    )


first = Stack(app, "EksV1", env=Environment(account=account, region=region))
cluster = eks.Cluster.from_cluster_attributes(
    first, "Cluster",
    cluster_name="prod",
    vpc=vpc_of(first),
    cluster_security_group_id="sg-1",
    open_id_connect_provider=oidc_of(first),
    kubectl_provider=eks.KubectlProvider.from_kubectl_provider_attributes(
        first, "Provider",
        function_arn=f"arn:aws:lambda:{region}:{account}:function:kubectl",
        kubectl_role_arn=f"arn:aws:iam::{account}:role/kubectl",
        handler_role=iam.Role.from_role_arn(first, "HandlerRole", f"arn:aws:iam::{account}:role/handler"),
    ),
)

bad = app.node.try_get_context("bad")
if bad == "sizes":
    AirflowOnEks(first, "Airflow", cluster=cluster, node_pools=NodePoolsOptions(workers=NodePoolOptions(min_size=2, max_size=1)))
elif bad == "auth":
    AirflowOnEks(
        first, "Airflow",
        cluster=cluster,
        git_sync=GitSyncOptions(
            repository="https://github.com/example/dags.git",
            auth=GitAuth.ssh(private_key=AirflowSecret.from_kubernetes_secret("git", "key")),
        ),
    )
elif bad == "cluster":
    AirflowOnEks(first, "Airflow", cluster=eksv2.Cluster.from_cluster_attributes(first, "Bare", cluster_name="bare"))

secret = secretsmanager.Secret.from_secret_name_v2(first, "Secret", "airflow/dags")
airflow = AirflowOnEks(
    first, "Airflow",
    cluster=cluster,
    namespace="data",
    chart=AirflowChart.community(airflow_version="2.9.3"),
    executor=AirflowExecutor.CELERY_KUBERNETES,
    image=AirflowImage.from_registry("apache/airflow", "2.9.3-python3.11"),
    pip_packages=["apache-airflow-providers-slack==8.6.0"],
    node_pools=NodePoolsOptions(
        stateless=NodePoolOptions(
            instance_types=[ec2.InstanceType("m6g.large")], capacity_type=eks.CapacityType.ON_DEMAND, disk_size=Size.gibibytes(50),
        ),
        workers=NodePoolOptions(min_size=0, max_size=5, labels={"team": "data", "stage": "prod"}, tags={"cost": "data"}),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("CloudWatchAgentServerPolicy")],
    ),
    workers=WorkersOptions(
        replicas=3,
        autoscaling=WorkerAutoscalingOptions(max_replicas=8, target_memory_percent=70),
        memory="4Gi",
        termination_grace_period=Duration.minutes(20),
    ),
    git_sync=GitSyncOptions(
        repository="ssh://git@git.example.com:7999/data/dags.git",
        sub_path="dags",
        depth=0,
        period=Duration.seconds(30),
        auth=GitAuth.ssh(
            private_key=AirflowSecret.from_secrets_manager(secret, "deploy-key"),
            known_hosts=KnownHosts.of("git.example.com ssh-ed25519 AAAA", "git.example.com ecdsa-sha2-nistp256 BBBB"),
        ),
    ),
    persistence=PersistenceOptions(
        logs_size=Size.gibibytes(100),
        database_size=Size.mebibytes(1536),
        removal_policy=RemovalPolicy.DESTROY,
        lifecycle_policy=efs.LifecyclePolicy.AFTER_30_DAYS,
        throughput_mode=efs.ThroughputMode.BURSTING,
        automatic_backups=False,
    ),
    efs_csi_driver=EfsCsiDriverSetup.ALL_NODES,
    external_secrets=ExternalSecretsSetup.EXISTING,
    users=[
        AirflowUser(
            username="ada", email="ada@example.com", role=AirflowRole.of("Auditor"),
            password=AirflowSecret.from_secrets_manager(secret, "ada"),
        ),
    ],
    connections=[
        AirflowConnection(
            id="warehouse", type="postgres", host="db.example.com", port=5432,
            password=AirflowSecret.from_secrets_manager(secret, "db"),
        ),
    ],
    variables=[
        AirflowVariable(key="stage", value="prod"),
        AirflowVariable(key="hook", secret=AirflowSecret.from_secrets_manager(secret, "hook")),
    ],
    pools=[AirflowPool(name="warehouse", slots=4)],
    # Maps in another order than in TypeScript: what is made of them must not depend on it.
    config={"webserver.navbar_color": "#123456", "core.parallelism": "64", "scheduler.parsing_processes": "2"},
    environment={"HTTP_PROXY": "http://proxy.example.com", "TZ": "UTC", "STAGE": "prod"},
    extra_secrets={
        "cache": AirflowSecret.from_kubernetes_secret("cache", "url"),
        "api_user": AirflowSecret.from_secrets_manager(secret, "user"),
        "slack-webhook": AirflowSecret.from_secrets_manager(secret, "slack"),
    },
    ingress=AlbIngressOptions(
        host="airflow.example.com",
        certificate=acm.Certificate.from_certificate_arn(first, "Certificate", f"arn:aws:acm:{region}:{account}:certificate/1"),
        scheme=AlbIngressScheme.INTERNET_FACING,
        target_type=AlbIngressTargetType.IP,
        listen_ports=[AlbListenPort(protocol="HTTP", port=80), AlbListenPort(protocol="HTTPS", port=443)],
        inbound_cidrs=["192.0.2.0/24"],
        annotations={"example.com/owner": "data", "alb.ingress.kubernetes.io/ssl-redirect": "443"},
    ),
    values={
        "flower": {
            "podDisruptionBudget": {"minAvailable": 1, "enabled": True},
            "extraVolumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
        },
        "scheduler": {"logCleanup": {"enabled": False}, "podAnnotations": {"example.com/b": "2", "example.com/a": "1"}},
    },
    removed_values=["scheduler.livenessProbe", "web.readinessProbe"],
    helm_timeout=Duration.minutes(10),
)

# What others ask of it.
s3.Bucket.from_bucket_name(first, "Bucket", "example-data").grant_read(airflow)
airflow.connections.allow_from(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(9102), "Metrics")
CfnOutput(first, "Url", value=airflow.url)
CfnOutput(first, "Workers", value=airflow.node_pools.workers.nodegroup_name)
CfnOutput(first, "FernetKey", value=airflow.secrets.fernet_key.secret_arn)
CfnOutput(first, "Versions", value=f"{airflow.chart.chart_version} {airflow.chart.airflow_version}")
CfnOutput(first, "Logs", value=f"{airflow.file_system.file_system_id} {airflow.persistence.logs_claim_name}")

second = Stack(app, "EksV2", env=Environment(account=account, region=region))
AirflowOnEks(
    second, "Airflow",
    cluster=eksv2.Cluster.from_cluster_attributes(
        second, "Cluster",
        cluster_name="prod",
        vpc=vpc_of(second),
        cluster_security_group_id="sg-1",
        open_id_connect_provider=oidc_of(second),
        kubectl_provider=eksv2.KubectlProvider.from_kubectl_provider_attributes(
            second, "Provider", service_token=f"arn:aws:lambda:{region}:{account}:function:kubectl",
        ),
    ),
    chart=AirflowChart.community(),
    executor=AirflowExecutor.KUBERNETES,
    image=AirflowImage.from_ecr_repository(ecr.Repository.from_repository_name(second, "Repository", "airflow"), "2.8.4"),
    # Nested props can be dicts too.
    existing_nodes={
        "stateless": NodePlacement(
            labels={"zone": "private", "role": "data"}, tolerations=[Toleration(key="dedicated", value="data", effect="NoSchedule")],
        ),
        "node_role": iam.Role.from_role_arn(second, "NodeRole", f"arn:aws:iam::{account}:role/nodes"),
    },
    persistence=PersistenceOptions(
        file_system=efs.FileSystem.from_file_system_attributes(
            second, "FileSystem",
            file_system_id="fs-1",
            security_group=ec2.SecurityGroup.from_security_group_id(second, "FileSystemGroup", "sg-3"),
        ),
    ),
    git_sync=GitSyncOptions(
        repository="https://git.example.com/data/dags.git",
        auth=GitAuth.http(
            username=AirflowSecret.from_kubernetes_secret("git", "username"),
            password=AirflowSecret.from_kubernetes_secret("git", "password"),
        ),
    ),
    secrets=AirflowSecretsOptions(fernet_key=AirflowSecret.from_kubernetes_secret("keys", "fernet")),
    values={"scheduler": {"podAnnotations": {"example.com/a": "1"}, "livenessProbe": None}},
)

app.synth()
