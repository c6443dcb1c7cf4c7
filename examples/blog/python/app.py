#!/usr/bin/env python3
from airflow_on_eks import (
    AirflowChart, AirflowConnection, AirflowImage, AirflowNodePools, AirflowOnEks, AirflowRole, AirflowSecret, AirflowUser,
    AirflowVariable, AlbIngressOptions, GitAuth, GitSyncOptions, KnownHosts, NodePoolOptions, WorkerAutoscaling, WorkersOptions,
)
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks as eks
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.lambda_layer_kubectl_v29 import KubectlV29Layer

account = "123456789012"
region = "ap-northeast-2"

app = App()
stack = Stack(app, "AirflowBlog", env=Environment(account=account, region=region))

# The existing cluster. Its VPC can also be imported by Vpc.from_lookup().
cluster = eks.Cluster.from_cluster_attributes(
    stack, "Cluster",
    cluster_name="us-eks",
    cluster_security_group_id="sg-0a1b2c3d4e5f60001",
    vpc=ec2.Vpc.from_vpc_attributes(
        stack, "Vpc",
        vpc_id="vpc-0a1b2c3d4e5f60001",
        availability_zones=["ap-northeast-2a", "ap-northeast-2c"],
        private_subnet_ids=["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
        private_subnet_route_table_ids=["rtb-0a1b2c3d4e5f60001", "rtb-0a1b2c3d4e5f60002"],
    ),
    open_id_connect_provider=iam.OpenIdConnectProvider.from_open_id_connect_provider_arn(
        stack, "Oidc",
        f"arn:aws:iam::{account}:oidc-provider/oidc.eks.{region}.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E",
    ),
    kubectl_role_arn=f"arn:aws:iam::{account}:role/us-eks-kubectl",
    kubectl_layer=KubectlV29Layer(stack, "Kubectl"),
)

# Existing secrets: the deploy key of the Git repository, and the credentials that DAGs use.
deploy_key = secretsmanager.Secret.from_secret_name_v2(stack, "DeployKey", "airflow/gitlab-deploy-key")
dag_secrets = secretsmanager.Secret.from_secret_name_v2(stack, "DagSecrets", "airflow/dags")

airflow = AirflowOnEks(
    stack, "Airflow",
    cluster=cluster,
    chart=AirflowChart.community(),
    image=AirflowImage.from_registry("apache/airflow", "2.8.4-python3.9"),
    node_pools=AirflowNodePools.managed_node_groups(
        stateless=NodePoolOptions(
            instance_types=[ec2.InstanceType("c5a.xlarge"), ec2.InstanceType("c5a.large")], min_size=2, max_size=2,
        ),
        workers=NodePoolOptions(
            instance_types=[ec2.InstanceType("c5a.2xlarge"), ec2.InstanceType("c5.2xlarge")], min_size=1, max_size=3,
        ),
        database=NodePoolOptions(instance_types=[ec2.InstanceType("c5a.xlarge")], min_size=1, max_size=1),
        key_pair=ec2.KeyPair.from_key_pair_name(stack, "KeyPair", "prod-airflow"),
        cluster_autoscaler=True,
    ),
    workers=WorkersOptions(replicas=2, autoscaling=WorkerAutoscaling.on_memory(max_replicas=16)),
    git_sync=GitSyncOptions(
        repository="git@gitlab.cloudopz.co:devops/airflow-dags.git",
        branch="master",
        auth=GitAuth.ssh(
            private_key=AirflowSecret.from_secrets_manager(deploy_key),
            known_hosts=KnownHosts.of("gitlab.cloudopz.co ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDD18bjpsGTussTrWvrU9LzqDdb0DJ5XVlOvmv4E+svIN6ItUvS3UrNNKiABs9IlexsEnDTdYTfZkV14Ft7f79lTeLKqvEJowF6RZg1SDOtW4ljPxRUh8n8MgGftI37m3baRYBqdsSbTebjfDRkykgI3k5AW+Lw9syeckncL3ZLAUQ894bh/uIqu4tCP59UlxZ43B6n6nna9g+ZFz/EGCsQTxPsTUIy13Lrgeh6kLQk77zvxdz838/JDH7ELdmd1nwCJIXOKhFwwSDkRUAkHgVSHWsFZdfNM4Na3TRBR0IUCnEqwDuEqSlTh1yfv1oymu6FeA/JaiTgfhvDVleB4wSx"),
        ),
    ),
    users=[
        AirflowUser(username="admin", role=AirflowRole.ADMIN, email="admin@vinceredev.com"),
        AirflowUser(username="airflow", role=AirflowRole.USER, email="airflow@vinceredev.com"),
        AirflowUser(username="viewer", role=AirflowRole.VIEWER, email="viewer@vinceredev.com"),
    ],
    connections=[
        AirflowConnection(
            id="slack", type="http", host="https://hooks.slack.com/services",
            password=AirflowSecret.from_secrets_manager(dag_secrets, "slack_webhook"),
        ),
    ],
    variables=[AirflowVariable.of("environment", "dev")],
    environment_secrets={
        "CLH_PASSWORD": AirflowSecret.from_secrets_manager(dag_secrets, "clh-password"),
        "TTDB_USER": AirflowSecret.from_secrets_manager(dag_secrets, "ttdb_user"),
        "TTDB_PASSWORD": AirflowSecret.from_secrets_manager(dag_secrets, "ttdb_password"),
    },
    config={"scheduler.dag_dir_list_interval": "60"},
    ingress=AlbIngressOptions(
        host="airflow.vinceredev.com",
        certificate=acm.Certificate.from_certificate_arn(
            stack, "Certificate", f"arn:aws:acm:{region}:{account}:certificate/b8299bf5-ae3b-4f69-8f6c-0a1b2c3d4e5f",
        ),
        group_name="dev",
        group_order=9,
        labels={"dev": "airflow"},
    ),
)

# DAGs read Amazon S3 with the role of the Airflow pods. Other pods on the same nodes do not get this permission.
airflow.role.add_managed_policy(iam.ManagedPolicy.from_aws_managed_policy_name("AmazonS3ReadOnlyAccess"))

app.synth()
