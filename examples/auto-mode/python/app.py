#!/usr/bin/env python3
from airflow_on_eks import AirflowOnEks, GitSyncOptions
from aws_cdk import App, Stack
from aws_cdk import aws_eks_v2 as eks
from aws_cdk.lambda_layer_kubectl_v36 import KubectlV36Layer

app = App()
stack = Stack(app, "AirflowAutoMode")

# A cluster in EKS Auto Mode, which creates nodes when pods need them, and load balancers for Ingresses.
cluster = eks.Cluster(
    stack, "Cluster",
    version=eks.KubernetesVersion.of("1.36"),
    kubectl_provider_options=eks.KubectlProviderOptions(kubectl_layer=KubectlV36Layer(stack, "Kubectl")),
)

AirflowOnEks(
    stack, "Airflow",
    cluster=cluster,
    git_sync=GitSyncOptions(repository="https://github.com/example/airflow-dags.git"),
)

app.synth()
