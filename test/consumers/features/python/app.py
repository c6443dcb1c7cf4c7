from airflow_on_eks import (
    AirflowChart, AirflowConnection, AirflowDatabase, AirflowExecutor, AirflowImage, AirflowLogs, AirflowNodePools, AirflowOnEks, AirflowPool,
    AirflowRole, AirflowSecret, AirflowSecretsOptions, AirflowUser, AirflowVariable, AlbIngressClass, AlbIngressOptions, AlbListenerPort,
    ApiServerAutoscaling, ApiServerOptions, CeleryBroker, ComponentOptions, DatabaseBackupOptions, DatabaseCleanupOptions,
    DatabaseSslMode, DatabaseStorageOptions, EfsCsiDriver, EfsCsiDriverInstallation, ExistingNodeClassOptions, ExternalSecrets, ExternalSecretsInstallation, GitAuth, GitSyncOptions,
    KarpenterNodePoolOptions, Keda, KedaInstallation, KnownHosts, NodePlacement,
    NodePoolOptions, PersistenceOptions, PgBouncer, SecretsBackend, WorkerAutoscaling, WorkerGroupOptions, WorkersOptions,
)
from aws_cdk import App, CfnOutput, Duration, Environment, RemovalPolicy, Size, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_eks as eks
from aws_cdk import aws_eks_v2 as eksv2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
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


def cluster_v2_of(stack: Stack) -> eksv2.ICluster:
    return eksv2.Cluster.from_cluster_attributes(
        stack, "Cluster",
        cluster_name="prod",
        vpc=vpc_of(stack),
        cluster_security_group_id="sg-1",
        open_id_connect_provider=oidc_of(stack),
        kubectl_provider=eksv2.KubectlProvider.from_kubectl_provider_attributes(
            stack, "Provider", service_token=f"arn:aws:lambda:{region}:{account}:function:kubectl",
        ),
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
    AirflowOnEks(
        first, "Airflow",
        cluster=cluster,
        node_pools=AirflowNodePools.managed_node_groups(workers=NodePoolOptions(min_size=2, max_size=1)),
    )
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
    chart=AirflowChart.community(chart_version="8.9.0", airflow_version="2.9.3"),
    executor=AirflowExecutor.CELERY_KUBERNETES,
    image=AirflowImage.from_registry("apache/airflow", "2.9.3-python3.11"),
    pip_packages=["apache-airflow-providers-slack==8.6.0"],
    node_pools=AirflowNodePools.managed_node_groups(
        stateless=NodePoolOptions(
            instance_types=[ec2.InstanceType("m6g.large")], capacity_type=eks.CapacityType.ON_DEMAND, disk_size=Size.gibibytes(50),
        ),
        workers=NodePoolOptions(min_size=0, max_size=5, labels={"team": "data", "stage": "prod"}, tags={"cost": "data"}),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("CloudWatchAgentServerPolicy")],
    ),
    api_server=ApiServerOptions(replicas=3, cpu="250m", memory="2Gi", memory_limit="4Gi"),
    scheduler=ComponentOptions(replicas=1, memory="1536Mi"),
    triggerer=ComponentOptions(replicas=2),
    workers=WorkersOptions(
        replicas=3,
        cpu="500m",
        memory="4Gi",
        memory_limit="6Gi",
        autoscaling=WorkerAutoscaling.on_memory(max_replicas=8, target_memory_percent=70),
        termination_grace_period=Duration.minutes(12),
        default_task_retries=1,
    ),
    logs=AirflowLogs.on_file_system(retention=Duration.days(30)),
    broker=CeleryBroker.elasti_cache(
        node_type=ec2.InstanceType("m7g.large"), multi_az=False, engine_version="9.0",
        vpc_subnets=ec2.SubnetSelection(availability_zones=["eu-central-1a"]),
    ),
    database=AirflowDatabase.rds(
        engine_version=rds.PostgresEngineVersion.VER_16_10,
        instance_type=ec2.InstanceType("r7g.large"),
        allocated_storage=Size.gibibytes(50),
        max_allocated_storage=Size.gibibytes(200),
        multi_az=True,
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        encryption_key=kms.Key.from_key_arn(first, "Key", f"arn:aws:kms:{region}:{account}:key/1"),
        parameters={"log_min_duration_statement": "1000"},
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
        removal_policy=RemovalPolicy.DESTROY,
        lifecycle_policy=efs.LifecyclePolicy.AFTER_30_DAYS,
        throughput_mode=efs.ThroughputMode.BURSTING,
        automatic_backups=False,
    ),
    efs_csi_driver=EfsCsiDriverInstallation.on_all_nodes(),
    external_secrets=ExternalSecretsInstallation.existing(),
    secrets=AirflowSecretsOptions(
        api_secret_key=AirflowSecret.from_secrets_manager(secret, "api"),
        broker_password=AirflowSecret.from_secrets_manager(secret, "broker"),
    ),
    secrets_backend=SecretsBackend.secrets_manager("airflow"),
    users=[
        AirflowUser(
            username="ada", email="ada@example.com", first_name="Ada", last_name="King", role=AirflowRole.of("Auditor"),
            password=AirflowSecret.from_secrets_manager(secret, "ada"),
        ),
    ],
    connections=[
        AirflowConnection(
            id="warehouse", type="postgres", description="Reports", host="db.example.com", port=5432, schema="reports", login="airflow",
            password=AirflowSecret.from_secrets_manager(secret, "db"),
            extra='{"sslmode": "require"}',
        ),
    ],
    variables=[
        AirflowVariable.of("stage", "prod"),
        AirflowVariable.from_secret("hook", AirflowSecret.from_secrets_manager(secret, "hook")),
    ],
    pools=[AirflowPool(name="warehouse", slots=4, description="Connections to the warehouse")],
    # The keys of maps are in a different order than in TypeScript. The templates must not depend on it.
    config={"webserver.navbar_color": "#123456", "core.parallelism": "64", "scheduler.parsing_processes": "2"},
    environment={"HTTP_PROXY": "http://proxy.example.com", "TZ": "UTC", "STAGE": "prod"},
    environment_secrets={
        "CACHE": AirflowSecret.from_kubernetes_secret("cache", "url"),
        "API_USER": AirflowSecret.from_secrets_manager(secret, "user"),
        "SLACK_WEBHOOK": AirflowSecret.from_secrets_manager(secret, "slack"),
    },
    ingress=AlbIngressOptions(
        host="airflow.example.com",
        certificate=acm.Certificate.from_certificate_arn(first, "Certificate", f"arn:aws:acm:{region}:{account}:certificate/1"),
        scheme=eks.AlbScheme.INTERNET_FACING,
        target_type=elbv2.TargetType.INSTANCE,
        listener_ports=[
            AlbListenerPort(protocol=elbv2.ApplicationProtocol.HTTP, port=80),
            AlbListenerPort(protocol=elbv2.ApplicationProtocol.HTTPS, port=443),
        ],
        ssl_policy=elbv2.SslPolicy.TLS13_RES,
        inbound_cidrs=["192.0.2.0/24"],
        annotations={"example.com/owner": "data", "alb.ingress.kubernetes.io/ssl-redirect": "443"},
    ),
    helm_values={
        "flower": {
            "podDisruptionBudget": {"minAvailable": 1, "enabled": True},
            "extraVolumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
        },
        "scheduler": {"podAnnotations": {"example.com/b": "2", "example.com/a": "1"}},
    },
    removed_helm_values=["scheduler.livenessProbe", "web.readinessProbe"],
    ready_timeout=Duration.minutes(10),
)

# The attributes.
s3.Bucket.from_bucket_name(first, "Bucket", "example-data").grant_read(airflow)
airflow.connections.allow_from(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(9102), "Metrics")
airflow.broker.connections.allow_from(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(6379), "Monitoring")
CfnOutput(first, "Url", value=airflow.url)
CfnOutput(first, "Workers", value=airflow.node_pools.workers.nodegroup_name)
CfnOutput(first, "FernetKey", value=airflow.secrets.fernet_key.secret_arn)
CfnOutput(first, "Versions", value=f"{airflow.chart.chart_version} {airflow.chart.airflow_version}")
CfnOutput(first, "Logs", value=f"{airflow.file_system.file_system_id} {airflow.persistence.logs_claim_name}")

second = Stack(app, "EksV2", env=Environment(account=account, region=region))
cluster_v2 = cluster_v2_of(second)
EfsCsiDriver.get_or_create(cluster_v2, all_nodes=True)
ExternalSecrets.get_or_create(cluster_v2)

credentials = secretsmanager.Secret.from_secret_name_v2(second, "Credentials", "airflow/git")
official = AirflowOnEks(
    second, "Airflow",
    cluster=cluster_v2,
    chart=AirflowChart.official(),
    executor=AirflowExecutor.KUBERNETES,
    image=AirflowImage.from_ecr_repository(ecr.Repository.from_repository_name(second, "Repository", "airflow"), "3.3.2"),
    node_pools=AirflowNodePools.existing(
        stateless=NodePlacement(
            labels={"zone": "private", "role": "data"},
            taints=[
                eks.TaintSpec(key="dedicated", value="data", effect=eks.TaintEffect.NO_SCHEDULE),
                eks.TaintSpec(key="spot", effect=eks.TaintEffect.PREFER_NO_SCHEDULE),
            ],
        ),
        database=NodePlacement(labels={"role": "database"}),
        node_role=iam.Role.from_role_arn(second, "NodeRole", f"arn:aws:iam::{account}:role/nodes"),
    ),
    dag_processor={"replicas": 2, "memory_limit": "2Gi"},  # a dict works in place of ComponentOptions
    logs=AirflowLogs.in_bucket(prefix="logs", retention=Duration.days(365)),
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
            username=AirflowSecret.from_secrets_manager(credentials, "username"),
            password=AirflowSecret.from_secrets_manager(credentials, "password"),
        ),
    ),
    pg_bouncer=PgBouncer.disabled(),
    secrets=AirflowSecretsOptions(fernet_key=AirflowSecret.from_kubernetes_secret("keys", "fernet-key")),
    helm_values={"scheduler": {"podAnnotations": {"example.com/a": "1"}, "livenessProbe": None}},
)
CfnOutput(second, "AdminPassword", value=official.secrets.user_passwords["admin"].secret_arn)

# The other ways to create nodes and to run the database and the broker.
third = Stack(app, "Nodes", env=Environment(account=account, region=region))
shared_cluster = cluster_v2_of(third)
Keda.get_or_create(shared_cluster)
urls = secretsmanager.Secret.from_secret_name_v2(third, "Urls", "airflow/urls")
karpenter = AirflowOnEks(
    third, "Karpenter",
    cluster=shared_cluster,
    namespace="karpenter-data",
    node_pools=AirflowNodePools.karpenter(
        stateless=KarpenterNodePoolOptions(architecture=ec2.InstanceArchitecture.ARM_64, instance_families=["m7g", "c7g"]),
        workers=KarpenterNodePoolOptions(instance_sizes=["xlarge", "2xlarge"], capacity_types=[eks.CapacityType.SPOT], max_vcpus=64),
        subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        disk_size=Size.gibibytes(40),
        ami_alias="bottlerocket@latest",
        controller_role=iam.Role.from_role_arn(third, "ControllerRole", f"arn:aws:iam::{account}:role/karpenter"),
    ),
    api_server=ApiServerOptions(replicas=1, autoscaling=ApiServerAutoscaling.on_cpu(max_replicas=4, target_cpu_percent=70)),
    workers=WorkersOptions(
        concurrency=8,
        autoscaling=WorkerAutoscaling.on_cpu(max_replicas=6, target_cpu_percent=60, scale_down_stabilization=Duration.minutes(10)),
    ),
    efs_csi_driver=EfsCsiDriverInstallation.on_airflow_nodes(),
    external_secrets=ExternalSecretsInstallation.on_any_node(),
    database=AirflowDatabase.in_cluster(
        cpu="1",
        memory="2Gi",
        storage=DatabaseStorageOptions(size=Size.gibibytes(50), storage_class_name="gp3"),
        backup=DatabaseBackupOptions(prefix="dumps", schedule="0 */6 * * *", retention=Duration.days(14), max_size=Size.gibibytes(10)),
    ),
    pg_bouncer=PgBouncer.enabled(replicas=2, memory="128Mi", pool_size=40),
    broker=CeleryBroker.in_cluster(cpu="200m", memory="1Gi"),
    database_cleanup=DatabaseCleanupOptions(retention=Duration.days(30)),
    git_sync=GitSyncOptions(
        repository="https://git.example.com/data/dags.git",
        revision="v1.0",
        ca_bundle="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        proxy="http://proxy.example.com:3128",
        environment={"GITSYNC_STALE_WORKTREE_TIMEOUT": "10m", "GITSYNC_SUBMODULES": "off"},
    ),
)
CfnOutput(third, "Placement", value=karpenter.node_pools.placement.workers.labels["type"])
CfnOutput(third, "Broker", value=karpenter.broker.hostname)

auto_mode = AirflowOnEks(
    third, "AutoMode",
    cluster=shared_cluster,
    namespace="auto-data",
    node_pools=AirflowNodePools.auto_mode(
        node_class=ExistingNodeClassOptions(
            name="default", node_role=iam.Role.from_role_arn(third, "AutoRole", f"arn:aws:iam::{account}:role/auto"),
        ),
        database=KarpenterNodePoolOptions(capacity_types=[eks.CapacityType.ON_DEMAND]),
    ),
    api_server=ApiServerOptions(autoscaling=ApiServerAutoscaling.on_memory(max_replicas=3)),
    workers=WorkersOptions(
        replicas=0,
        queues=["default", "reports"],
        autoscaling=WorkerAutoscaling.on_queued_tasks(max_replicas=4, polling_interval=Duration.seconds(15)),
        groups=[
            WorkerGroupOptions(
                name="gpu",
                queues=["training"],
                replicas=1,
                memory="12Gi",
                concurrency=1,
                placement=NodePlacement(labels={"pool": "gpu"}, taints=[eks.TaintSpec(key="nvidia.com/gpu", effect=eks.TaintEffect.NO_SCHEDULE)]),
                extended_resources={"nvidia.com/gpu": "1"},
            ),
        ],
    ),
    keda=KedaInstallation.on_any_node(),
    secrets=AirflowSecretsOptions(
        jwt_secret=AirflowSecret.from_secrets_manager(urls, "jwt"),
        database_password=AirflowSecret.from_secrets_manager(urls, "database"),
        flower_password=AirflowSecret.from_secrets_manager(urls, "flower"),
    ),
    connections=[
        AirflowConnection(
            id="api", type="http",
            login_secret=AirflowSecret.from_secrets_manager(urls, "login"),
            extra_secret=AirflowSecret.from_secrets_manager(urls, "extra"),
        ),
    ],
    ingress=AlbIngressOptions(
        ingress_class=AlbIngressClass.auto_mode(),
        host="airflow.example.org",
        flower_host="flower.example.org",
        health_check_path="/api/v2/monitor/health",
        web_acl_arn=f"arn:aws:wafv2:{region}:{account}:regional/webacl/airflow/1",
    ),
)
CfnOutput(third, "LoadBalancer", value=auto_mode.ingress.load_balancer_dns_name)

single = AirflowOnEks(
    third, "Single",
    cluster=shared_cluster,
    namespace="single-data",
    node_pools=AirflowNodePools.single_node_group(
        instance_types=[ec2.InstanceType("m7i.2xlarge")],
        subnets=ec2.SubnetSelection(availability_zones=["eu-central-1a"]),
        cluster_autoscaler=True,
    ),
    logs=AirflowLogs.in_bucket(bucket=s3.Bucket.from_bucket_name(third, "LogBucket", "example-logs")),
    database=AirflowDatabase.aurora(
        engine_version=rds.AuroraPostgresEngineVersion.VER_16_10,
        min_capacity=1,
        max_capacity=8,
        backup_retention=Duration.days(14),
        deletion_protection=False,
        removal_policy=RemovalPolicy.DESTROY,
        password_rotation=Duration.days(30),
        certificate_authorities="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ),
    broker=CeleryBroker.from_url(AirflowSecret.from_secrets_manager(urls, "broker")),
)
CfnOutput(third, "NodeRole", value=single.node_pools.role.role_name)
CfnOutput(third, "Database", value=single.database.hostname)

# Databases that already exist.
fourth = Stack(app, "Databases", env=Environment(account=account, region=region))
database_cluster = cluster_v2_of(fourth)
database_credentials = secretsmanager.Secret.from_secret_name_v2(fourth, "Credentials", "airflow/database")
database_group = ec2.SecurityGroup.from_security_group_id(fourth, "DatabaseGroup", "sg-4")
databases = {
    "Endpoint": AirflowDatabase.from_endpoint(
        host="db.example.com",
        port=5433,
        credentials=database_credentials,
        security_group=database_group,
        database="metadata",
        admin_credentials=secretsmanager.Secret.from_secret_name_v2(fourth, "AdminCredentials", "airflow/database-admin"),
        ssl_mode=DatabaseSslMode.VERIFY_CA,
        certificate_authorities="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ),
    "Instance": AirflowDatabase.from_instance(
        rds.DatabaseInstance.from_database_instance_attributes(
            fourth, "DatabaseInstance",
            instance_identifier="airflow",
            instance_endpoint_address="airflow.example.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[database_group],
        ),
        database_credentials,
    ),
    "Aurora": AirflowDatabase.from_cluster(
        rds.DatabaseCluster.from_database_cluster_attributes(
            fourth, "DatabaseCluster",
            cluster_identifier="airflow",
            cluster_endpoint_address="airflow.cluster-example.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[database_group],
        ),
        database_credentials,
    ),
}
for name, database in databases.items():
    AirflowOnEks(
        fourth, name,
        cluster=database_cluster,
        namespace=f"on-{name.lower()}",
        executor=AirflowExecutor.KUBERNETES,
        node_pools=AirflowNodePools.single_node_group(),
        logs=AirflowLogs.in_bucket(),
        database=database,
    )

app.synth()
