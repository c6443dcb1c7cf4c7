package com.example;

import io.github.airflowoneks.AirflowChart;
import io.github.airflowoneks.AirflowConnection;
import io.github.airflowoneks.AirflowImage;
import io.github.airflowoneks.AirflowNodePools;
import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowRole;
import io.github.airflowoneks.AirflowSecret;
import io.github.airflowoneks.AirflowUser;
import io.github.airflowoneks.AirflowVariable;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.GitAuth;
import io.github.airflowoneks.GitSshAuthOptions;
import io.github.airflowoneks.GitSyncOptions;
import io.github.airflowoneks.KnownHosts;
import io.github.airflowoneks.ManagedNodeGroupsOptions;
import io.github.airflowoneks.MemoryAutoscalingOptions;
import io.github.airflowoneks.NodePoolOptions;
import io.github.airflowoneks.WorkerAutoscaling;
import io.github.airflowoneks.WorkersOptions;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.cdk.lambdalayer.kubectl.v29.KubectlV29Layer;
import software.amazon.awscdk.services.certificatemanager.Certificate;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.KeyPair;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.eks.Cluster;
import software.amazon.awscdk.services.eks.ClusterAttributes;
import software.amazon.awscdk.services.eks.ICluster;
import software.amazon.awscdk.services.iam.ManagedPolicy;
import software.amazon.awscdk.services.iam.OpenIdConnectProvider;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.amazon.awscdk.services.secretsmanager.Secret;

public final class BlogApp {
  private static final String ACCOUNT = "123456789012";
  private static final String REGION = "ap-northeast-2";

  public static void main(final String[] args) {
    App app = new App();
    Stack stack = new Stack(app, "AirflowBlog", StackProps.builder()
        .env(Environment.builder().account(ACCOUNT).region(REGION).build())
        .build());

    // The existing cluster. Its VPC can also be imported by Vpc.fromLookup().
    ICluster cluster = Cluster.fromClusterAttributes(stack, "Cluster", ClusterAttributes.builder()
        .clusterName("us-eks")
        .clusterSecurityGroupId("sg-0a1b2c3d4e5f60001")
        .vpc(Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
            .vpcId("vpc-0a1b2c3d4e5f60001")
            .availabilityZones(List.of("ap-northeast-2a", "ap-northeast-2c"))
            .privateSubnetIds(List.of("subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"))
            .privateSubnetRouteTableIds(List.of("rtb-0a1b2c3d4e5f60001", "rtb-0a1b2c3d4e5f60002"))
            .build()))
        .openIdConnectProvider(OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, "Oidc",
            "arn:aws:iam::" + ACCOUNT + ":oidc-provider/oidc.eks." + REGION
                + ".amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"))
        .kubectlRoleArn("arn:aws:iam::" + ACCOUNT + ":role/us-eks-kubectl")
        .kubectlLayer(new KubectlV29Layer(stack, "Kubectl"))
        .build());

    // Existing secrets: the deploy key of the Git repository, and the credentials that DAGs use.
    ISecret deployKey = Secret.fromSecretNameV2(stack, "DeployKey", "airflow/gitlab-deploy-key");
    ISecret dagSecrets = Secret.fromSecretNameV2(stack, "DagSecrets", "airflow/dags");

    AirflowOnEks airflow = AirflowOnEks.Builder.create(stack, "Airflow")
        .cluster(cluster)
        .chart(AirflowChart.community())
        .image(AirflowImage.fromRegistry("apache/airflow", "2.8.4-python3.9"))
        .nodePools(AirflowNodePools.managedNodeGroups(ManagedNodeGroupsOptions.builder()
            .stateless(NodePoolOptions.builder()
                .instanceTypes(List.of(new InstanceType("c5a.xlarge"), new InstanceType("c5a.large")))
                .minSize(2)
                .maxSize(2)
                .build())
            .workers(NodePoolOptions.builder()
                .instanceTypes(List.of(new InstanceType("c5a.2xlarge"), new InstanceType("c5.2xlarge")))
                .minSize(1)
                .maxSize(3)
                .build())
            .database(NodePoolOptions.builder()
                .instanceTypes(List.of(new InstanceType("c5a.xlarge")))
                .minSize(1)
                .maxSize(1)
                .build())
            .keyPair(KeyPair.fromKeyPairName(stack, "KeyPair", "prod-airflow"))
            .clusterAutoscaler(true)
            .build()))
        .workers(WorkersOptions.builder()
            .replicas(2)
            .autoscaling(WorkerAutoscaling.onMemory(MemoryAutoscalingOptions.builder().maxReplicas(16).build()))
            .build())
        .gitSync(GitSyncOptions.builder()
            .repository("git@gitlab.cloudopz.co:devops/airflow-dags.git")
            .branch("master")
            .auth(GitAuth.ssh(GitSshAuthOptions.builder()
                .privateKey(AirflowSecret.fromSecretsManager(deployKey))
                .knownHosts(KnownHosts.of("gitlab.cloudopz.co ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDD18bjpsGTussTrWvrU9LzqDdb0DJ5XVlOvmv4E+svIN6ItUvS3UrNNKiABs9IlexsEnDTdYTfZkV14Ft7f79lTeLKqvEJowF6RZg1SDOtW4ljPxRUh8n8MgGftI37m3baRYBqdsSbTebjfDRkykgI3k5AW+Lw9syeckncL3ZLAUQ894bh/uIqu4tCP59UlxZ43B6n6nna9g+ZFz/EGCsQTxPsTUIy13Lrgeh6kLQk77zvxdz838/JDH7ELdmd1nwCJIXOKhFwwSDkRUAkHgVSHWsFZdfNM4Na3TRBR0IUCnEqwDuEqSlTh1yfv1oymu6FeA/JaiTgfhvDVleB4wSx"))
                .build()))
            .build())
        .users(List.of(
            user("admin", AirflowRole.ADMIN),
            user("airflow", AirflowRole.USER),
            user("viewer", AirflowRole.VIEWER)))
        .connections(List.of(AirflowConnection.builder()
            .id("slack")
            .type("http")
            .host("https://hooks.slack.com/services")
            .password(AirflowSecret.fromSecretsManager(dagSecrets, "slack_webhook"))
            .build()))
        .variables(List.of(AirflowVariable.of("environment", "dev")))
        .environmentSecrets(Map.of(
            "CLH_PASSWORD", AirflowSecret.fromSecretsManager(dagSecrets, "clh-password"),
            "TTDB_USER", AirflowSecret.fromSecretsManager(dagSecrets, "ttdb_user"),
            "TTDB_PASSWORD", AirflowSecret.fromSecretsManager(dagSecrets, "ttdb_password")))
        .config(Map.of("scheduler.dag_dir_list_interval", "60"))
        .ingress(AlbIngressOptions.builder()
            .host("airflow.vinceredev.com")
            .certificate(Certificate.fromCertificateArn(stack, "Certificate",
                "arn:aws:acm:" + REGION + ":" + ACCOUNT + ":certificate/b8299bf5-ae3b-4f69-8f6c-0a1b2c3d4e5f"))
            .groupName("dev")
            .groupOrder(9)
            .labels(Map.of("dev", "airflow"))
            .build())
        .build();

    // DAGs read Amazon S3 with the role of the Airflow pods. Other pods on the same nodes do not get this permission.
    airflow.getRole().addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName("AmazonS3ReadOnlyAccess"));

    app.synth();
  }

  private static AirflowUser user(final String name, final AirflowRole role) {
    return AirflowUser.builder().username(name).role(role).email(name + "@vinceredev.com").build();
  }
}
