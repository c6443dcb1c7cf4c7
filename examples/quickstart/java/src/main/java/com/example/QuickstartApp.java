package com.example;

import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowSecret;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.GitAuth;
import io.github.airflowoneks.GitSshAuthOptions;
import io.github.airflowoneks.GitSyncOptions;
import java.util.List;
import software.amazon.awscdk.App;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.cdk.lambdalayer.kubectl.v36.KubectlV36Layer;
import software.amazon.awscdk.services.certificatemanager.Certificate;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.eks_v2.AlbControllerOptions;
import software.amazon.awscdk.services.eks_v2.AlbControllerVersion;
import software.amazon.awscdk.services.eks_v2.Cluster;
import software.amazon.awscdk.services.eks_v2.DefaultCapacityType;
import software.amazon.awscdk.services.eks_v2.KubectlProviderOptions;
import software.amazon.awscdk.services.eks_v2.KubernetesVersion;
import software.amazon.awscdk.services.eks_v2.NodegroupAmiType;
import software.amazon.awscdk.services.eks_v2.NodegroupOptions;
import software.amazon.awscdk.services.secretsmanager.Secret;

public final class QuickstartApp {
  public static void main(final String[] args) {
    App app = new App();
    Stack stack = new Stack(app, "AirflowQuickstart");

    Cluster cluster = Cluster.Builder.create(stack, "Cluster")
        .version(KubernetesVersion.of("1.36"))
        .vpc(Vpc.Builder.create(stack, "Vpc").maxAzs(2).build())
        .defaultCapacityType(DefaultCapacityType.NODEGROUP)
        .defaultCapacity(0)
        .kubectlProviderOptions(KubectlProviderOptions.builder()
            .kubectlLayer(new KubectlV36Layer(stack, "Kubectl"))
            .build())
        .albController(AlbControllerOptions.builder().version(AlbControllerVersion.V3_2_2).build())
        .build();

    // Nodes for pods that do not belong to Airflow, such as CoreDNS.
    cluster.addNodegroupCapacity("System", NodegroupOptions.builder()
        .instanceTypes(List.of(new InstanceType("m5.large")))
        .amiType(NodegroupAmiType.AL2023_X86_64_STANDARD)
        .build());

    AirflowOnEks airflow = AirflowOnEks.Builder.create(stack, "Airflow")
        .cluster(cluster)
        .gitSync(GitSyncOptions.builder()
            .repository("git@github.com:example/airflow-dags.git")
            .auth(GitAuth.ssh(GitSshAuthOptions.builder()
                .privateKey(AirflowSecret.fromSecretsManager(
                    Secret.fromSecretNameV2(stack, "DeployKey", "airflow/deploy-key")))
                .build()))
            .build())
        .ingress(AlbIngressOptions.builder()
            .host("airflow.example.com")
            .certificate(Certificate.fromCertificateArn(stack, "Certificate",
                "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"))
            .build())
        .build();

    CfnOutput.Builder.create(stack, "Url").value(airflow.getUrl()).build();

    app.synth();
  }
}
