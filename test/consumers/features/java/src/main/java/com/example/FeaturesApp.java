package com.example;

import io.github.airflowoneks.AirflowChart;
import io.github.airflowoneks.AirflowChartOptions;
import io.github.airflowoneks.AirflowConnection;
import io.github.airflowoneks.AirflowExecutor;
import io.github.airflowoneks.AirflowImage;
import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowPool;
import io.github.airflowoneks.AirflowRole;
import io.github.airflowoneks.AirflowSecret;
import io.github.airflowoneks.AirflowSecretsOptions;
import io.github.airflowoneks.AirflowUser;
import io.github.airflowoneks.AirflowVariable;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.AlbIngressScheme;
import io.github.airflowoneks.AlbIngressTargetType;
import io.github.airflowoneks.AlbListenPort;
import io.github.airflowoneks.EfsCsiDriverSetup;
import io.github.airflowoneks.ExistingNodesOptions;
import io.github.airflowoneks.ExternalSecretsSetup;
import io.github.airflowoneks.GitAuth;
import io.github.airflowoneks.GitHttpAuthOptions;
import io.github.airflowoneks.GitSshAuthOptions;
import io.github.airflowoneks.GitSyncOptions;
import io.github.airflowoneks.KnownHosts;
import io.github.airflowoneks.NodePlacement;
import io.github.airflowoneks.NodePoolOptions;
import io.github.airflowoneks.NodePoolsOptions;
import io.github.airflowoneks.PersistenceOptions;
import io.github.airflowoneks.Toleration;
import io.github.airflowoneks.WorkerAutoscalingOptions;
import io.github.airflowoneks.WorkersOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.App;
import software.amazon.awscdk.CfnOutput;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Environment;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Size;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.StackProps;
import software.amazon.awscdk.services.certificatemanager.Certificate;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.ecr.Repository;
import software.amazon.awscdk.services.efs.FileSystem;
import software.amazon.awscdk.services.efs.FileSystemAttributes;
import software.amazon.awscdk.services.efs.LifecyclePolicy;
import software.amazon.awscdk.services.efs.ThroughputMode;
import software.amazon.awscdk.services.eks.CapacityType;
import software.amazon.awscdk.services.eks.Cluster;
import software.amazon.awscdk.services.eks.ClusterAttributes;
import software.amazon.awscdk.services.eks.ICluster;
import software.amazon.awscdk.services.eks.KubectlProvider;
import software.amazon.awscdk.services.eks.KubectlProviderAttributes;
import software.amazon.awscdk.services.iam.IOpenIdConnectProvider;
import software.amazon.awscdk.services.iam.ManagedPolicy;
import software.amazon.awscdk.services.iam.OpenIdConnectProvider;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.s3.Bucket;
import software.amazon.awscdk.services.secretsmanager.ISecret;
import software.amazon.awscdk.services.secretsmanager.Secret;

public final class FeaturesApp {
  private static final String ACCOUNT = "123456789012";
  private static final String REGION = "eu-central-1";

  public static void main(final String[] args) {
    App app = new App();

    Stack first = stack(app, "EksV1");
    ICluster cluster = Cluster.fromClusterAttributes(first, "Cluster", ClusterAttributes.builder()
        .clusterName("prod")
        .vpc(vpc(first))
        .clusterSecurityGroupId("sg-1")
        .openIdConnectProvider(oidc(first))
        .kubectlProvider(KubectlProvider.fromKubectlProviderAttributes(first, "Provider", KubectlProviderAttributes.builder()
            .functionArn("arn:aws:lambda:" + REGION + ":" + ACCOUNT + ":function:kubectl")
            .kubectlRoleArn("arn:aws:iam::" + ACCOUNT + ":role/kubectl")
            .handlerRole(Role.fromRoleArn(first, "HandlerRole", "arn:aws:iam::" + ACCOUNT + ":role/handler"))
            .build()))
        .build());

    Object bad = app.getNode().tryGetContext("bad");
    if ("sizes".equals(bad)) {
      AirflowOnEks.Builder.create(first, "Airflow")
          .cluster(cluster)
          .nodePools(NodePoolsOptions.builder().workers(NodePoolOptions.builder().minSize(2).maxSize(1).build()).build())
          .build();
    } else if ("auth".equals(bad)) {
      AirflowOnEks.Builder.create(first, "Airflow")
          .cluster(cluster)
          .gitSync(GitSyncOptions.builder()
              .repository("https://github.com/example/dags.git")
              .auth(GitAuth.ssh(GitSshAuthOptions.builder().privateKey(AirflowSecret.fromKubernetesSecret("git", "key")).build()))
              .build())
          .build();
    } else if ("cluster".equals(bad)) {
      AirflowOnEks.Builder.create(first, "Airflow")
          .cluster(software.amazon.awscdk.services.eks_v2.Cluster.fromClusterAttributes(first, "Bare",
              software.amazon.awscdk.services.eks_v2.ClusterAttributes.builder().clusterName("bare").build()))
          .build();
    }

    ISecret secret = Secret.fromSecretNameV2(first, "Secret", "airflow/dags");
    AirflowOnEks airflow = AirflowOnEks.Builder.create(first, "Airflow")
        .cluster(cluster)
        .namespace("data")
        .chart(AirflowChart.community(AirflowChartOptions.builder().airflowVersion("2.9.3").build()))
        .executor(AirflowExecutor.CELERY_KUBERNETES)
        .image(AirflowImage.fromRegistry("apache/airflow", "2.9.3-python3.11"))
        .pipPackages(List.of("apache-airflow-providers-slack==8.6.0"))
        .nodePools(NodePoolsOptions.builder()
            .stateless(NodePoolOptions.builder()
                .instanceTypes(List.of(new InstanceType("m6g.large")))
                .capacityType(CapacityType.ON_DEMAND)
                .diskSize(Size.gibibytes(50))
                .build())
            .workers(NodePoolOptions.builder()
                .minSize(0)
                .maxSize(5)
                .labels(Map.of("team", "data", "stage", "prod"))
                .tags(Map.of("cost", "data"))
                .build())
            .managedPolicies(List.of(ManagedPolicy.fromAwsManagedPolicyName("CloudWatchAgentServerPolicy")))
            .build())
        .workers(WorkersOptions.builder()
            .replicas(3)
            .autoscaling(WorkerAutoscalingOptions.builder().maxReplicas(8).targetMemoryPercent(70).build())
            .memory("4Gi")
            .terminationGracePeriod(Duration.minutes(20))
            .build())
        .gitSync(GitSyncOptions.builder()
            .repository("ssh://git@git.example.com:7999/data/dags.git")
            .subPath("dags")
            .depth(0)
            .period(Duration.seconds(30))
            .auth(GitAuth.ssh(GitSshAuthOptions.builder()
                .privateKey(AirflowSecret.fromSecretsManager(secret, "deploy-key"))
                .knownHosts(KnownHosts.of("git.example.com ssh-ed25519 AAAA", "git.example.com ecdsa-sha2-nistp256 BBBB"))
                .build()))
            .build())
        .persistence(PersistenceOptions.builder()
            .logsSize(Size.gibibytes(100))
            .databaseSize(Size.mebibytes(1536))
            .removalPolicy(RemovalPolicy.DESTROY)
            .lifecyclePolicy(LifecyclePolicy.AFTER_30_DAYS)
            .throughputMode(ThroughputMode.BURSTING)
            .automaticBackups(false)
            .build())
        .efsCsiDriver(EfsCsiDriverSetup.ALL_NODES)
        .externalSecrets(ExternalSecretsSetup.EXISTING)
        .users(List.of(AirflowUser.builder()
            .username("ada")
            .email("ada@example.com")
            .role(AirflowRole.of("Auditor"))
            .password(AirflowSecret.fromSecretsManager(secret, "ada"))
            .build()))
        .connections(List.of(AirflowConnection.builder()
            .id("warehouse")
            .type("postgres")
            .host("db.example.com")
            .port(5432)
            .password(AirflowSecret.fromSecretsManager(secret, "db"))
            .build()))
        .variables(List.of(
            AirflowVariable.builder().key("stage").value("prod").build(),
            AirflowVariable.builder().key("hook").secret(AirflowSecret.fromSecretsManager(secret, "hook")).build()))
        .pools(List.of(AirflowPool.builder().name("warehouse").slots(4).build()))
        // Each Map.of() has another order in each run: what is made of it must not depend on it.
        .config(Map.of("core.parallelism", "64", "scheduler.parsing_processes", "2", "webserver.navbar_color", "#123456"))
        .environment(Map.of("TZ", "UTC", "STAGE", "prod", "HTTP_PROXY", "http://proxy.example.com"))
        .extraSecrets(Map.of(
            "slack-webhook", AirflowSecret.fromSecretsManager(secret, "slack"),
            "api_user", AirflowSecret.fromSecretsManager(secret, "user"),
            "cache", AirflowSecret.fromKubernetesSecret("cache", "url")))
        .ingress(AlbIngressOptions.builder()
            .host("airflow.example.com")
            .certificate(Certificate.fromCertificateArn(first, "Certificate", "arn:aws:acm:" + REGION + ":" + ACCOUNT + ":certificate/1"))
            .scheme(AlbIngressScheme.INTERNET_FACING)
            .targetType(AlbIngressTargetType.IP)
            .listenPorts(List.of(
                AlbListenPort.builder().protocol("HTTP").port(80).build(),
                AlbListenPort.builder().protocol("HTTPS").port(443).build()))
            .inboundCidrs(List.of("192.0.2.0/24"))
            .annotations(Map.of("alb.ingress.kubernetes.io/ssl-redirect", "443", "example.com/owner", "data"))
            .build())
        .values(Map.of(
            "scheduler", Map.of(
                "podAnnotations", Map.of("example.com/a", "1", "example.com/b", "2"),
                "logCleanup", Map.of("enabled", false)),
            "flower", Map.of(
                "extraVolumes", List.of(Map.of("name", "scratch", "emptyDir", Map.of("sizeLimit", "1Gi"))),
                "podDisruptionBudget", Map.of("enabled", true, "minAvailable", 1))))
        .removedValues(List.of("scheduler.livenessProbe", "web.readinessProbe"))
        .helmTimeout(Duration.minutes(10))
        .build();

    // What others ask of it.
    Bucket.fromBucketName(first, "Bucket", "example-data").grantRead(airflow);
    airflow.getConnections().allowFrom(Peer.ipv4("192.0.2.0/24"), Port.tcp(9102), "Metrics");
    output(first, "Url", airflow.getUrl());
    output(first, "Workers", airflow.getNodePools().getWorkers().getNodegroupName());
    output(first, "FernetKey", airflow.getSecrets().getFernetKey().getSecretArn());
    output(first, "Versions", airflow.getChart().getChartVersion() + " " + airflow.getChart().getAirflowVersion());
    output(first, "Logs", airflow.getFileSystem().getFileSystemId() + " " + airflow.getPersistence().getLogsClaimName());

    Map<String, Object> scheduler = new HashMap<>();
    scheduler.put("podAnnotations", Map.of("example.com/a", "1"));
    scheduler.put("livenessProbe", null);

    Stack second = stack(app, "EksV2");
    AirflowOnEks.Builder.create(second, "Airflow")
        .cluster(software.amazon.awscdk.services.eks_v2.Cluster.fromClusterAttributes(second, "Cluster",
            software.amazon.awscdk.services.eks_v2.ClusterAttributes.builder()
                .clusterName("prod")
                .vpc(vpc(second))
                .clusterSecurityGroupId("sg-1")
                .openIdConnectProvider(oidc(second))
                .kubectlProvider(software.amazon.awscdk.services.eks_v2.KubectlProvider.fromKubectlProviderAttributes(second, "Provider",
                    software.amazon.awscdk.services.eks_v2.KubectlProviderAttributes.builder()
                        .serviceToken("arn:aws:lambda:" + REGION + ":" + ACCOUNT + ":function:kubectl")
                        .build()))
                .build()))
        .chart(AirflowChart.community())
        .executor(AirflowExecutor.KUBERNETES)
        .image(AirflowImage.fromEcrRepository(Repository.fromRepositoryName(second, "Repository", "airflow"), "2.8.4"))
        .existingNodes(ExistingNodesOptions.builder()
            .stateless(NodePlacement.builder()
                .labels(Map.of("role", "data", "zone", "private"))
                .tolerations(List.of(Toleration.builder().key("dedicated").value("data").effect("NoSchedule").build()))
                .build())
            .nodeRole(Role.fromRoleArn(second, "NodeRole", "arn:aws:iam::" + ACCOUNT + ":role/nodes"))
            .build())
        .persistence(PersistenceOptions.builder()
            .fileSystem(FileSystem.fromFileSystemAttributes(second, "FileSystem", FileSystemAttributes.builder()
                .fileSystemId("fs-1")
                .securityGroup(SecurityGroup.fromSecurityGroupId(second, "FileSystemGroup", "sg-3"))
                .build()))
            .build())
        .gitSync(GitSyncOptions.builder()
            .repository("https://git.example.com/data/dags.git")
            .auth(GitAuth.http(GitHttpAuthOptions.builder()
                .username(AirflowSecret.fromKubernetesSecret("git", "username"))
                .password(AirflowSecret.fromKubernetesSecret("git", "password"))
                .build()))
            .build())
        .secrets(AirflowSecretsOptions.builder().fernetKey(AirflowSecret.fromKubernetesSecret("keys", "fernet")).build())
        .values(Map.of("scheduler", scheduler))
        .build();

    app.synth();
  }

  private static Stack stack(final App app, final String id) {
    return new Stack(app, id, StackProps.builder().env(Environment.builder().account(ACCOUNT).region(REGION).build()).build());
  }

  private static IVpc vpc(final Stack stack) {
    return Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
        .vpcId("vpc-1")
        .availabilityZones(List.of("eu-central-1a", "eu-central-1b"))
        .privateSubnetIds(List.of("subnet-1", "subnet-2"))
        .privateSubnetRouteTableIds(List.of("rtb-1", "rtb-2"))
        .build());
  }

  private static IOpenIdConnectProvider oidc(final Stack stack) {
    return OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, "Oidc",
        "arn:aws:iam::" + ACCOUNT + ":oidc-provider/oidc.eks." + REGION + ".amazonaws.com/id/EXAMPLE");
  }

  private static void output(final Stack stack, final String id, final String value) {
    CfnOutput.Builder.create(stack, id).value(value).build();
  }
}
