#!/usr/bin/env python3
from airflow_on_eks import AirflowOnEks, AirflowSecret, AlbIngressOptions, GitAuth, GitSyncOptions
from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

app = App()
stack = Stack(app, "AirflowQuickstart")

cluster = eks.Cluster(
    stack, "Cluster",
    version=eks.KubernetesVersion.of("1.36"),
    vpc=ec2.Vpc(stack, "Vpc", max_azs=2),
    default_capacity_type=eks.DefaultCapacityType.NODEGROUP,
    default_capacity=0,
    kubectl_provider_options=eks.KubectlProviderOptions(kubectl_layer=KubectlV36Layer(stack, "Kubectl")),
    alb_controller=eks.AlbControllerOptions(version=eks.AlbControllerVersion.V3_2_2),
)

# Nodes for pods that do not belong to Airflow, such as CoreDNS.
cluster.add_nodegroup_capacity(
    "System",
    instance_types=[ec2.InstanceType("m5.large")],
    ami_type=eks.NodegroupAmiType.AL2023_X86_64_STANDARD,
)

airflow = AirflowOnEks(
    stack, "Airflow",
    cluster=cluster,
    git_sync=GitSyncOptions(
        repository="git@github.com:example/airflow-dags.git",
        auth=GitAuth.ssh(
            private_key=AirflowSecret.from_secrets_manager(
                secretsmanager.Secret.from_secret_name_v2(stack, "DeployKey", "airflow/deploy-key"),
            ),
        ),
    ),
    ingress=AlbIngressOptions(
        host="airflow.example.com",
        certificate=acm.Certificate.from_certificate_arn(
            stack, "Certificate",
            "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        ),
    ),
)

CfnOutput(stack, "Url", value=airflow.url)

app.synth()
