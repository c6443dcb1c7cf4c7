#!/usr/bin/env python3
from airflow_on_eks import (
    AirflowDatabase, AirflowLogs, AirflowNodePools, AirflowOnEks, AirflowSecret, AlbIngressOptions, CeleryBroker, GitAuth, GitSyncOptions, NodePoolOptions,
    WorkersOptions,
)
from aws_cdk import App, CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_eks
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_wafv2 as wafv2
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

app = App()
stack = Stack(app, "AirflowProduction", env=Environment(region="eu-central-1"))

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

firewall = wafv2.CfnWebACL(
    stack, "Firewall",
    scope="REGIONAL",
    default_action=wafv2.CfnWebACL.DefaultActionProperty(allow=wafv2.CfnWebACL.AllowActionProperty()),
    visibility_config=wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name="airflow", sampled_requests_enabled=True,
    ),
    rules=[wafv2.CfnWebACL.RuleProperty(
        name="common",
        priority=0,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=wafv2.CfnWebACL.StatementProperty(
            managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(vendor_name="AWS", name="AWSManagedRulesCommonRuleSet"),
        ),
        visibility_config=wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True, metric_name="airflow-common", sampled_requests_enabled=True,
        ),
    )],
)

airflow = AirflowOnEks(
    stack, "Airflow",
    cluster=cluster,
    node_pools=AirflowNodePools.managed_node_groups(
        workers=NodePoolOptions(capacity_type=aws_eks.CapacityType.ON_DEMAND, min_size=2, max_size=6),
        cluster_autoscaler=True,
    ),
    workers=WorkersOptions(replicas=4),
    database=AirflowDatabase.aurora(multi_az=True, password_rotation=Duration.days(30)),
    broker=CeleryBroker.elasti_cache(multi_az=True),
    logs=AirflowLogs.in_bucket(retention=Duration.days(90)),
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
        scheme=aws_eks.AlbScheme.INTERNET_FACING,
        inbound_cidrs=["203.0.113.0/24"],
        web_acl_arn=firewall.attr_arn,
    ),
)

CfnOutput(stack, "Url", value=airflow.url)

app.synth()
