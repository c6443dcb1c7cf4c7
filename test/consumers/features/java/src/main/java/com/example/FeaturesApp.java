package com.example;

import io.github.airflowoneks.AirflowChart;
import io.github.airflowoneks.AirflowChartOptions;
import io.github.airflowoneks.AirflowConnection;
import io.github.airflowoneks.AirflowDatabase;
import io.github.airflowoneks.AirflowExecutor;
import io.github.airflowoneks.AirflowImage;
import io.github.airflowoneks.AirflowLogs;
import io.github.airflowoneks.AirflowNodePools;
import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowPool;
import io.github.airflowoneks.AirflowRole;
import io.github.airflowoneks.AirflowSecret;
import io.github.airflowoneks.AirflowSecretsOptions;
import io.github.airflowoneks.AirflowUser;
import io.github.airflowoneks.AirflowVariable;
import io.github.airflowoneks.AlbIngressClass;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.AlbListenerPort;
import io.github.airflowoneks.ApiServerAutoscaling;
import io.github.airflowoneks.ApiServerOptions;
import io.github.airflowoneks.AuroraDatabaseOptions;
import io.github.airflowoneks.AutoModeOptions;
import io.github.airflowoneks.BucketLogsOptions;
import io.github.airflowoneks.CeleryBroker;
import io.github.airflowoneks.ComponentOptions;
import io.github.airflowoneks.CpuAutoscalingOptions;
import io.github.airflowoneks.DatabaseBackupOptions;
import io.github.airflowoneks.DatabaseCleanupOptions;
import io.github.airflowoneks.DatabaseSslMode;
import io.github.airflowoneks.DatabaseStorageOptions;
import io.github.airflowoneks.EfsCsiDriver;
import io.github.airflowoneks.EfsCsiDriverInstallation;
import io.github.airflowoneks.EfsCsiDriverOptions;
import io.github.airflowoneks.ElastiCacheBrokerOptions;
import io.github.airflowoneks.EndpointDatabaseOptions;
import io.github.airflowoneks.ExistingNodeClassOptions;
import io.github.airflowoneks.ExistingNodesOptions;
import io.github.airflowoneks.ExternalSecrets;
import io.github.airflowoneks.ExternalSecretsInstallation;
import io.github.airflowoneks.FileSystemLogsOptions;
import io.github.airflowoneks.GitAuth;
import io.github.airflowoneks.GitHttpAuthOptions;
import io.github.airflowoneks.GitSshAuthOptions;
import io.github.airflowoneks.GitSyncOptions;
import io.github.airflowoneks.InClusterBrokerOptions;
import io.github.airflowoneks.InClusterDatabaseOptions;
import io.github.airflowoneks.KarpenterNodePoolOptions;
import io.github.airflowoneks.KarpenterOptions;
import io.github.airflowoneks.Keda;
import io.github.airflowoneks.KedaInstallation;
import io.github.airflowoneks.KnownHosts;
import io.github.airflowoneks.ManagedNodeGroupsOptions;
import io.github.airflowoneks.MemoryAutoscalingOptions;
import io.github.airflowoneks.NodePlacement;
import io.github.airflowoneks.NodePoolOptions;
import io.github.airflowoneks.PersistenceOptions;
import io.github.airflowoneks.PgBouncer;
import io.github.airflowoneks.PgBouncerOptions;
import io.github.airflowoneks.QueuedTasksAutoscalingOptions;
import io.github.airflowoneks.RdsDatabaseOptions;
import io.github.airflowoneks.SecretsBackend;
import io.github.airflowoneks.SingleNodeGroupOptions;
import io.github.airflowoneks.WorkerAutoscaling;
import io.github.airflowoneks.WorkerGroupOptions;
import io.github.airflowoneks.WorkersOptions;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.InstanceArchitecture;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.ecr.Repository;
import software.amazon.awscdk.services.efs.FileSystem;
import software.amazon.awscdk.services.efs.FileSystemAttributes;
import software.amazon.awscdk.services.efs.LifecyclePolicy;
import software.amazon.awscdk.services.efs.ThroughputMode;
import software.amazon.awscdk.services.eks.AlbScheme;
import software.amazon.awscdk.services.eks.CapacityType;
import software.amazon.awscdk.services.eks.Cluster;
import software.amazon.awscdk.services.eks.ClusterAttributes;
import software.amazon.awscdk.services.eks.ICluster;
import software.amazon.awscdk.services.eks.KubectlProvider;
import software.amazon.awscdk.services.eks.KubectlProviderAttributes;
import software.amazon.awscdk.services.eks.TaintEffect;
import software.amazon.awscdk.services.eks.TaintSpec;
import software.amazon.awscdk.services.elasticloadbalancingv2.ApplicationProtocol;
import software.amazon.awscdk.services.elasticloadbalancingv2.SslPolicy;
import software.amazon.awscdk.services.elasticloadbalancingv2.TargetType;
import software.amazon.awscdk.services.iam.IOpenIdConnectProvider;
import software.amazon.awscdk.services.iam.ManagedPolicy;
import software.amazon.awscdk.services.iam.OpenIdConnectProvider;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.kms.Key;
import software.amazon.awscdk.services.rds.AuroraPostgresEngineVersion;
import software.amazon.awscdk.services.rds.DatabaseCluster;
import software.amazon.awscdk.services.rds.DatabaseClusterAttributes;
import software.amazon.awscdk.services.rds.DatabaseInstance;
import software.amazon.awscdk.services.rds.DatabaseInstanceAttributes;
import software.amazon.awscdk.services.rds.PostgresEngineVersion;
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
          .nodePools(AirflowNodePools.managedNodeGroups(ManagedNodeGroupsOptions.builder()
              .workers(NodePoolOptions.builder().minSize(2).maxSize(1).build())
              .build()))
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
        .chart(AirflowChart.community(AirflowChartOptions.builder().chartVersion("8.9.0").airflowVersion("2.9.3").build()))
        .executor(AirflowExecutor.CELERY_KUBERNETES)
        .image(AirflowImage.fromRegistry("apache/airflow", "2.9.3-python3.11"))
        .pipPackages(List.of("apache-airflow-providers-slack==8.6.0"))
        .nodePools(AirflowNodePools.managedNodeGroups(ManagedNodeGroupsOptions.builder()
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
            .build()))
        .apiServer(ApiServerOptions.builder().replicas(3).cpu("250m").memory("2Gi").memoryLimit("4Gi").build())
        .scheduler(ComponentOptions.builder().replicas(1).memory("1536Mi").build())
        .triggerer(ComponentOptions.builder().replicas(2).build())
        .workers(WorkersOptions.builder()
            .replicas(3)
            .cpu("500m")
            .memory("4Gi")
            .memoryLimit("6Gi")
            .autoscaling(WorkerAutoscaling.onMemory(MemoryAutoscalingOptions.builder().maxReplicas(8).targetMemoryPercent(70).build()))
            .terminationGracePeriod(Duration.minutes(12))
            .defaultTaskRetries(1)
            .build())
        .logs(AirflowLogs.onFileSystem(FileSystemLogsOptions.builder().retention(Duration.days(30)).build()))
        .broker(CeleryBroker.elastiCache(ElastiCacheBrokerOptions.builder()
            .nodeType(new InstanceType("m7g.large"))
            .multiAz(false)
            .engineVersion("9.0")
            .vpcSubnets(SubnetSelection.builder().availabilityZones(List.of("eu-central-1a")).build())
            .build()))
        .database(AirflowDatabase.rds(RdsDatabaseOptions.builder()
            .engineVersion(PostgresEngineVersion.VER_16_10)
            .instanceType(new InstanceType("r7g.large"))
            .allocatedStorage(Size.gibibytes(50))
            .maxAllocatedStorage(Size.gibibytes(200))
            .multiAz(true)
            .subnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_WITH_EGRESS).build())
            .encryptionKey(Key.fromKeyArn(first, "Key", "arn:aws:kms:" + REGION + ":" + ACCOUNT + ":key/1"))
            .parameters(Map.of("log_min_duration_statement", "1000"))
            .build()))
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
            .removalPolicy(RemovalPolicy.DESTROY)
            .lifecyclePolicy(LifecyclePolicy.AFTER_30_DAYS)
            .throughputMode(ThroughputMode.BURSTING)
            .automaticBackups(false)
            .build())
        .efsCsiDriver(EfsCsiDriverInstallation.onAllNodes())
        .externalSecrets(ExternalSecretsInstallation.existing())
        .secrets(AirflowSecretsOptions.builder()
            .apiSecretKey(AirflowSecret.fromSecretsManager(secret, "api"))
            .brokerPassword(AirflowSecret.fromSecretsManager(secret, "broker"))
            .build())
        .secretsBackend(SecretsBackend.secretsManager("airflow"))
        .users(List.of(AirflowUser.builder()
            .username("ada")
            .email("ada@example.com")
            .firstName("Ada")
            .lastName("King")
            .role(AirflowRole.of("Auditor"))
            .password(AirflowSecret.fromSecretsManager(secret, "ada"))
            .build()))
        .connections(List.of(AirflowConnection.builder()
            .id("warehouse")
            .type("postgres")
            .description("Reports")
            .host("db.example.com")
            .port(5432)
            .schema("reports")
            .login("airflow")
            .password(AirflowSecret.fromSecretsManager(secret, "db"))
            .extra("{\"sslmode\": \"require\"}")
            .build()))
        .variables(List.of(
            AirflowVariable.of("stage", "prod"),
            AirflowVariable.fromSecret("hook", AirflowSecret.fromSecretsManager(secret, "hook"))))
        .pools(List.of(AirflowPool.builder().name("warehouse").slots(4).description("Connections to the warehouse").build()))
        // Map.of() orders its keys differently in each run. The templates must not depend on it.
        .config(Map.of("core.parallelism", "64", "scheduler.parsing_processes", "2", "webserver.navbar_color", "#123456"))
        .environment(Map.of("TZ", "UTC", "STAGE", "prod", "HTTP_PROXY", "http://proxy.example.com"))
        .environmentSecrets(Map.of(
            "SLACK_WEBHOOK", AirflowSecret.fromSecretsManager(secret, "slack"),
            "API_USER", AirflowSecret.fromSecretsManager(secret, "user"),
            "CACHE", AirflowSecret.fromKubernetesSecret("cache", "url")))
        .ingress(AlbIngressOptions.builder()
            .host("airflow.example.com")
            .certificate(Certificate.fromCertificateArn(first, "Certificate", "arn:aws:acm:" + REGION + ":" + ACCOUNT + ":certificate/1"))
            .scheme(AlbScheme.INTERNET_FACING)
            .targetType(TargetType.INSTANCE)
            .listenerPorts(List.of(
                AlbListenerPort.builder().protocol(ApplicationProtocol.HTTP).port(80).build(),
                AlbListenerPort.builder().protocol(ApplicationProtocol.HTTPS).port(443).build()))
            .sslPolicy(SslPolicy.TLS13_RES)
            .inboundCidrs(List.of("192.0.2.0/24"))
            .annotations(Map.of("alb.ingress.kubernetes.io/ssl-redirect", "443", "example.com/owner", "data"))
            .build())
        .helmValues(Map.of(
            "scheduler", Map.of(
                "podAnnotations", Map.of("example.com/a", "1", "example.com/b", "2")),
            "flower", Map.of(
                "extraVolumes", List.of(Map.of("name", "scratch", "emptyDir", Map.of("sizeLimit", "1Gi"))),
                "podDisruptionBudget", Map.of("enabled", true, "minAvailable", 1))))
        .removedHelmValues(List.of("scheduler.livenessProbe", "web.readinessProbe"))
        .readyTimeout(Duration.minutes(10))
        .build();

    // The attributes.
    Bucket.fromBucketName(first, "Bucket", "example-data").grantRead(airflow);
    airflow.getConnections().allowFrom(Peer.ipv4("192.0.2.0/24"), Port.tcp(9102), "Metrics");
    airflow.getBroker().getConnections().allowFrom(Peer.ipv4("192.0.2.0/24"), Port.tcp(6379), "Monitoring");
    output(first, "Url", airflow.getUrl());
    output(first, "Workers", airflow.getNodePools().getWorkers().getNodegroupName());
    output(first, "FernetKey", airflow.getSecrets().getFernetKey().getSecretArn());
    output(first, "Versions", airflow.getChart().getChartVersion() + " " + airflow.getChart().getAirflowVersion());
    output(first, "Logs", airflow.getFileSystem().getFileSystemId() + " " + airflow.getPersistence().getLogsClaimName());

    Map<String, Object> scheduler = new HashMap<>();
    scheduler.put("podAnnotations", Map.of("example.com/a", "1"));
    scheduler.put("livenessProbe", null);

    Stack second = stack(app, "EksV2");
    software.amazon.awscdk.services.eks_v2.ICluster clusterV2 = clusterV2(second);
    EfsCsiDriver.getOrCreate(clusterV2, EfsCsiDriverOptions.builder().allNodes(true).build());
    ExternalSecrets.getOrCreate(clusterV2);

    ISecret credentials = Secret.fromSecretNameV2(second, "Credentials", "airflow/git");
    AirflowOnEks official = AirflowOnEks.Builder.create(second, "Airflow")
        .cluster(clusterV2)
        .chart(AirflowChart.official())
        .executor(AirflowExecutor.KUBERNETES)
        .image(AirflowImage.fromEcrRepository(Repository.fromRepositoryName(second, "Repository", "airflow"), "3.3.2"))
        .nodePools(AirflowNodePools.existing(ExistingNodesOptions.builder()
            .stateless(NodePlacement.builder()
                .labels(Map.of("role", "data", "zone", "private"))
                .taints(List.of(
                    TaintSpec.builder().key("dedicated").value("data").effect(TaintEffect.NO_SCHEDULE).build(),
                    TaintSpec.builder().key("spot").effect(TaintEffect.PREFER_NO_SCHEDULE).build()))
                .build())
            .database(NodePlacement.builder().labels(Map.of("role", "database")).build())
            .nodeRole(Role.fromRoleArn(second, "NodeRole", "arn:aws:iam::" + ACCOUNT + ":role/nodes"))
            .build()))
        .dagProcessor(ComponentOptions.builder().replicas(2).memoryLimit("2Gi").build())
        .logs(AirflowLogs.inBucket(BucketLogsOptions.builder().prefix("logs").retention(Duration.days(365)).build()))
        .persistence(PersistenceOptions.builder()
            .fileSystem(FileSystem.fromFileSystemAttributes(second, "FileSystem", FileSystemAttributes.builder()
                .fileSystemId("fs-1")
                .securityGroup(SecurityGroup.fromSecurityGroupId(second, "FileSystemGroup", "sg-3"))
                .build()))
            .build())
        .gitSync(GitSyncOptions.builder()
            .repository("https://git.example.com/data/dags.git")
            .auth(GitAuth.http(GitHttpAuthOptions.builder()
                .username(AirflowSecret.fromSecretsManager(credentials, "username"))
                .password(AirflowSecret.fromSecretsManager(credentials, "password"))
                .build()))
            .build())
        .pgBouncer(PgBouncer.disabled())
        .secrets(AirflowSecretsOptions.builder().fernetKey(AirflowSecret.fromKubernetesSecret("keys", "fernet-key")).build())
        .helmValues(Map.of("scheduler", scheduler))
        .build();
    output(second, "AdminPassword", official.getSecrets().getUserPasswords().get("admin").getSecretArn());

    // The other ways to create nodes and to run the database and the broker.
    Stack third = stack(app, "Nodes");
    software.amazon.awscdk.services.eks_v2.ICluster sharedCluster = clusterV2(third);
    Keda.getOrCreate(sharedCluster);
    ISecret urls = Secret.fromSecretNameV2(third, "Urls", "airflow/urls");
    AirflowOnEks karpenter = AirflowOnEks.Builder.create(third, "Karpenter")
        .cluster(sharedCluster)
        .namespace("karpenter-data")
        .nodePools(AirflowNodePools.karpenter(KarpenterOptions.builder()
            .stateless(KarpenterNodePoolOptions.builder()
                .architecture(InstanceArchitecture.ARM_64)
                .instanceFamilies(List.of("m7g", "c7g"))
                .build())
            .workers(KarpenterNodePoolOptions.builder()
                .instanceSizes(List.of("xlarge", "2xlarge"))
                .capacityTypes(List.of(CapacityType.SPOT))
                .maxVcpus(64)
                .build())
            .subnets(SubnetSelection.builder().subnetType(SubnetType.PRIVATE_WITH_EGRESS).build())
            .diskSize(Size.gibibytes(40))
            .amiAlias("bottlerocket@latest")
            .controllerRole(Role.fromRoleArn(third, "ControllerRole", "arn:aws:iam::" + ACCOUNT + ":role/karpenter"))
            .build()))
        .apiServer(ApiServerOptions.builder()
            .replicas(1)
            .autoscaling(ApiServerAutoscaling.onCpu(CpuAutoscalingOptions.builder().maxReplicas(4).targetCpuPercent(70).build()))
            .build())
        .workers(WorkersOptions.builder()
            .concurrency(8)
            .autoscaling(WorkerAutoscaling.onCpu(CpuAutoscalingOptions.builder()
                .maxReplicas(6)
                .targetCpuPercent(60)
                .scaleDownStabilization(Duration.minutes(10))
                .build()))
            .build())
        .efsCsiDriver(EfsCsiDriverInstallation.onAirflowNodes())
        .externalSecrets(ExternalSecretsInstallation.onAnyNode())
        .database(AirflowDatabase.inCluster(InClusterDatabaseOptions.builder()
            .cpu("1")
            .memory("2Gi")
            .storage(DatabaseStorageOptions.builder().size(Size.gibibytes(50)).storageClassName("gp3").build())
            .backup(DatabaseBackupOptions.builder()
                .prefix("dumps")
                .schedule("0 */6 * * *")
                .retention(Duration.days(14))
                .maxSize(Size.gibibytes(10))
                .build())
            .build()))
        .pgBouncer(PgBouncer.enabled(PgBouncerOptions.builder().replicas(2).memory("128Mi").poolSize(40).build()))
        .broker(CeleryBroker.inCluster(InClusterBrokerOptions.builder().cpu("200m").memory("1Gi").build()))
        .databaseCleanup(DatabaseCleanupOptions.builder().retention(Duration.days(30)).build())
        .gitSync(GitSyncOptions.builder()
            .repository("https://git.example.com/data/dags.git")
            .revision("v1.0")
            .caBundle("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .proxy("http://proxy.example.com:3128")
            .environment(Map.of("GITSYNC_SUBMODULES", "off", "GITSYNC_STALE_WORKTREE_TIMEOUT", "10m"))
            .build())
        .build();
    output(third, "Placement", karpenter.getNodePools().getPlacement().getWorkers().getLabels().get("type"));
    output(third, "Broker", karpenter.getBroker().getHostname());

    AirflowOnEks autoMode = AirflowOnEks.Builder.create(third, "AutoMode")
        .cluster(sharedCluster)
        .namespace("auto-data")
        .nodePools(AirflowNodePools.autoMode(AutoModeOptions.builder()
            .nodeClass(ExistingNodeClassOptions.builder()
                .name("default")
                .nodeRole(Role.fromRoleArn(third, "AutoRole", "arn:aws:iam::" + ACCOUNT + ":role/auto"))
                .build())
            .database(KarpenterNodePoolOptions.builder().capacityTypes(List.of(CapacityType.ON_DEMAND)).build())
            .build()))
        .apiServer(ApiServerOptions.builder()
            .autoscaling(ApiServerAutoscaling.onMemory(MemoryAutoscalingOptions.builder().maxReplicas(3).build()))
            .build())
        .workers(WorkersOptions.builder()
            .replicas(0)
            .queues(List.of("default", "reports"))
            .autoscaling(WorkerAutoscaling.onQueuedTasks(QueuedTasksAutoscalingOptions.builder()
                .maxReplicas(4)
                .pollingInterval(Duration.seconds(15))
                .build()))
            .groups(List.of(WorkerGroupOptions.builder()
                .name("gpu")
                .queues(List.of("training"))
                .replicas(1)
                .memory("12Gi")
                .concurrency(1)
                .placement(NodePlacement.builder()
                    .labels(Map.of("pool", "gpu"))
                    .taints(List.of(TaintSpec.builder().key("nvidia.com/gpu").effect(TaintEffect.NO_SCHEDULE).build()))
                    .build())
                .extendedResources(Map.of("nvidia.com/gpu", "1"))
                .build()))
            .build())
        .keda(KedaInstallation.onAnyNode())
        .secrets(AirflowSecretsOptions.builder()
            .jwtSecret(AirflowSecret.fromSecretsManager(urls, "jwt"))
            .databasePassword(AirflowSecret.fromSecretsManager(urls, "database"))
            .flowerPassword(AirflowSecret.fromSecretsManager(urls, "flower"))
            .build())
        .connections(List.of(AirflowConnection.builder()
            .id("api")
            .type("http")
            .loginSecret(AirflowSecret.fromSecretsManager(urls, "login"))
            .extraSecret(AirflowSecret.fromSecretsManager(urls, "extra"))
            .build()))
        .ingress(AlbIngressOptions.builder()
            .ingressClass(AlbIngressClass.autoMode())
            .host("airflow.example.org")
            .flowerHost("flower.example.org")
            .healthCheckPath("/api/v2/monitor/health")
            .webAclArn("arn:aws:wafv2:" + REGION + ":" + ACCOUNT + ":regional/webacl/airflow/1")
            .build())
        .build();
    output(third, "LoadBalancer", autoMode.getIngress().getLoadBalancerDnsName());

    AirflowOnEks single = AirflowOnEks.Builder.create(third, "Single")
        .cluster(sharedCluster)
        .namespace("single-data")
        .nodePools(AirflowNodePools.singleNodeGroup(SingleNodeGroupOptions.builder()
            .instanceTypes(List.of(new InstanceType("m7i.2xlarge")))
            .subnets(SubnetSelection.builder().availabilityZones(List.of("eu-central-1a")).build())
            .clusterAutoscaler(true)
            .build()))
        .logs(AirflowLogs.inBucket(BucketLogsOptions.builder().bucket(Bucket.fromBucketName(third, "LogBucket", "example-logs")).build()))
        .database(AirflowDatabase.aurora(AuroraDatabaseOptions.builder()
            .engineVersion(AuroraPostgresEngineVersion.VER_16_10)
            .minCapacity(1)
            .maxCapacity(8)
            .backupRetention(Duration.days(14))
            .deletionProtection(false)
            .removalPolicy(RemovalPolicy.DESTROY)
            .passwordRotation(Duration.days(30))
            .certificateAuthorities("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            .build()))
        .broker(CeleryBroker.fromUrl(AirflowSecret.fromSecretsManager(urls, "broker")))
        .build();
    output(third, "NodeRole", single.getNodePools().getRole().getRoleName());
    output(third, "Database", single.getDatabase().getHostname());

    // Databases that already exist.
    Stack fourth = stack(app, "Databases");
    software.amazon.awscdk.services.eks_v2.ICluster databaseCluster = clusterV2(fourth);
    ISecret databaseCredentials = Secret.fromSecretNameV2(fourth, "Credentials", "airflow/database");
    ISecurityGroup databaseGroup = SecurityGroup.fromSecurityGroupId(fourth, "DatabaseGroup", "sg-4");
    Map<String, AirflowDatabase> databases = new LinkedHashMap<>();
    databases.put("Endpoint", AirflowDatabase.fromEndpoint(EndpointDatabaseOptions.builder()
        .host("db.example.com")
        .port(5433)
        .credentials(databaseCredentials)
        .securityGroup(databaseGroup)
        .database("metadata")
        .adminCredentials(Secret.fromSecretNameV2(fourth, "AdminCredentials", "airflow/database-admin"))
        .sslMode(DatabaseSslMode.VERIFY_CA)
        .certificateAuthorities("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .build()));
    databases.put("Instance", AirflowDatabase.fromInstance(
        DatabaseInstance.fromDatabaseInstanceAttributes(fourth, "DatabaseInstance", DatabaseInstanceAttributes.builder()
            .instanceIdentifier("airflow")
            .instanceEndpointAddress("airflow.example.eu-central-1.rds.amazonaws.com")
            .port(5432)
            .securityGroups(List.of(databaseGroup))
            .build()),
        databaseCredentials));
    databases.put("Aurora", AirflowDatabase.fromCluster(
        DatabaseCluster.fromDatabaseClusterAttributes(fourth, "DatabaseCluster", DatabaseClusterAttributes.builder()
            .clusterIdentifier("airflow")
            .clusterEndpointAddress("airflow.cluster-example.eu-central-1.rds.amazonaws.com")
            .port(5432)
            .securityGroups(List.of(databaseGroup))
            .build()),
        databaseCredentials));
    databases.forEach((id, database) -> AirflowOnEks.Builder.create(fourth, id)
        .cluster(databaseCluster)
        .namespace("on-" + id.toLowerCase())
        .executor(AirflowExecutor.KUBERNETES)
        .nodePools(AirflowNodePools.singleNodeGroup())
        .logs(AirflowLogs.inBucket())
        .database(database)
        .build());

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

  private static software.amazon.awscdk.services.eks_v2.ICluster clusterV2(final Stack stack) {
    return software.amazon.awscdk.services.eks_v2.Cluster.fromClusterAttributes(
        stack, "Cluster", software.amazon.awscdk.services.eks_v2.ClusterAttributes.builder()
            .clusterName("prod")
            .vpc(vpc(stack))
            .clusterSecurityGroupId("sg-1")
            .openIdConnectProvider(oidc(stack))
            .kubectlProvider(software.amazon.awscdk.services.eks_v2.KubectlProvider.fromKubectlProviderAttributes(stack, "Provider",
                software.amazon.awscdk.services.eks_v2.KubectlProviderAttributes.builder()
                    .serviceToken("arn:aws:lambda:" + REGION + ":" + ACCOUNT + ":function:kubectl")
                    .build()))
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
