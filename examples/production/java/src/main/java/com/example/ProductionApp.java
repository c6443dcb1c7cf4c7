package com.example;

import io.github.airflowoneks.AirflowDatabase;
import io.github.airflowoneks.AirflowLogs;
import io.github.airflowoneks.AirflowNodePools;
import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowSecret;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.AuroraDatabaseOptions;
import io.github.airflowoneks.BucketLogsOptions;
import io.github.airflowoneks.CeleryBroker;
import io.github.airflowoneks.ElastiCacheBrokerOptions;
import io.github.airflowoneks.GitAuth;
import io.github.airflowoneks.GitSshAuthOptions;
import io.github.airflowoneks.GitSyncOptions;
import io.github.airflowoneks.ManagedNodeGroupsOptions;
import io.github.airflowoneks.NodePoolOptions;
import io.github.airflowoneks.WorkersOptions;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.App;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.cdk.lambdalayer.kubectl.v36.KubectlV36Layer;
import software.amazon.awscdk.services.certificatemanager.Certificate;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.eks.AlbScheme;
import software.amazon.awscdk.services.eks.CapacityType;
import software.amazon.awscdk.services.eks_v2.AlbControllerOptions;
import software.amazon.awscdk.services.eks_v2.AlbControllerVersion;
import software.amazon.awscdk.services.eks_v2.Cluster;
import software.amazon.awscdk.services.eks_v2.DefaultCapacityType;
import software.amazon.awscdk.services.eks_v2.KubectlProviderOptions;
import software.amazon.awscdk.services.eks_v2.KubernetesVersion;
import software.amazon.awscdk.services.eks_v2.NodegroupAmiType;
import software.amazon.awscdk.services.eks_v2.NodegroupOptions;
import software.amazon.awscdk.services.secretsmanager.Secret;
import software.amazon.awscdk.services.wafv2.CfnWebACL;

public final class ProductionApp {
  public static void main(final String[] args) {
    App app = new App();
    Stack stack = new Stack(app, "AirflowProduction", StackProps.builder()
        .env(Environment.builder().region("eu-central-1").build())
        .build());

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

    CfnWebACL firewall = CfnWebACL.Builder.create(stack, "Firewall")
        .scope("REGIONAL")
        .defaultAction(CfnWebACL.DefaultActionProperty.builder().allow(CfnWebACL.AllowActionProperty.builder().build()).build())
        .visibilityConfig(visibility("airflow"))
        .rules(List.of(CfnWebACL.RuleProperty.builder()
            .name("common")
            .priority(0)
            .overrideAction(CfnWebACL.OverrideActionProperty.builder().none(Map.of()).build())
            .statement(CfnWebACL.StatementProperty.builder()
                .managedRuleGroupStatement(CfnWebACL.ManagedRuleGroupStatementProperty.builder()
                    .vendorName("AWS")
                    .name("AWSManagedRulesCommonRuleSet")
                    .build())
                .build())
            .visibilityConfig(visibility("airflow-common"))
            .build()))
        .build();

    AirflowOnEks airflow = AirflowOnEks.Builder.create(stack, "Airflow")
        .cluster(cluster)
        .nodePools(AirflowNodePools.managedNodeGroups(ManagedNodeGroupsOptions.builder()
            .workers(NodePoolOptions.builder().capacityType(CapacityType.ON_DEMAND).minSize(2).maxSize(6).build())
            .clusterAutoscaler(true)
            .build()))
        .workers(WorkersOptions.builder().replicas(4).build())
        .database(AirflowDatabase.aurora(AuroraDatabaseOptions.builder()
            .multiAz(true)
            .passwordRotation(Duration.days(30))
            .build()))
        .broker(CeleryBroker.elastiCache(ElastiCacheBrokerOptions.builder().multiAz(true).build()))
        .logs(AirflowLogs.inBucket(BucketLogsOptions.builder().retention(Duration.days(90)).build()))
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
            .scheme(AlbScheme.INTERNET_FACING)
            .inboundCidrs(List.of("203.0.113.0/24"))
            .webAclArn(firewall.getAttrArn())
            .build())
        .build();

    CfnOutput.Builder.create(stack, "Url").value(airflow.getUrl()).build();

    app.synth();
  }

  private static CfnWebACL.VisibilityConfigProperty visibility(final String metricName) {
    return CfnWebACL.VisibilityConfigProperty.builder()
        .cloudWatchMetricsEnabled(true)
        .metricName(metricName)
        .sampledRequestsEnabled(true)
        .build();
  }
}
