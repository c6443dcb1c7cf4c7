package com.example;

import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.GitSyncOptions;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.cdk.lambdalayer.kubectl.v36.KubectlV36Layer;
import software.amazon.awscdk.services.eks_v2.Cluster;
import software.amazon.awscdk.services.eks_v2.KubectlProviderOptions;
import software.amazon.awscdk.services.eks_v2.KubernetesVersion;

public final class AutoModeApp {
  public static void main(final String[] args) {
    App app = new App();
    Stack stack = new Stack(app, "AirflowAutoMode");

    // A cluster in EKS Auto Mode, which creates nodes when pods need them, and load balancers for Ingresses.
    Cluster cluster = Cluster.Builder.create(stack, "Cluster")
        .version(KubernetesVersion.of("1.36"))
        .kubectlProviderOptions(KubectlProviderOptions.builder()
            .kubectlLayer(new KubectlV36Layer(stack, "Kubectl"))
            .build())
        .build();

    AirflowOnEks.Builder.create(stack, "Airflow")
        .cluster(cluster)
        .gitSync(GitSyncOptions.builder().repository("https://github.com/example/airflow-dags.git").build())
        .build();

    app.synth();
  }
}
