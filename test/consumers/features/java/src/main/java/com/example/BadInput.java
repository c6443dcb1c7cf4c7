package com.example;

import io.github.airflowoneks.AirflowConnection;
import io.github.airflowoneks.AirflowExecutor;
import io.github.airflowoneks.AirflowImage;
import io.github.airflowoneks.AirflowOnEks;
import io.github.airflowoneks.AirflowPool;
import io.github.airflowoneks.AirflowRole;
import io.github.airflowoneks.AirflowUser;
import io.github.airflowoneks.AlbIngressOptions;
import io.github.airflowoneks.ComponentOptions;
import io.github.airflowoneks.GitSyncOptions;
import io.github.airflowoneks.MemoryAutoscalingOptions;
import io.github.airflowoneks.PersistenceOptions;
import io.github.airflowoneks.WorkerAutoscaling;
import io.github.airflowoneks.WorkersOptions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import software.amazon.awscdk.App;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.efs.FileSystem;
import software.amazon.awscdk.services.efs.FileSystemAttributes;
import software.amazon.awscdk.services.efs.IFileSystem;
import software.amazon.awscdk.services.eks.Cluster;
import software.amazon.awscdk.services.eks.ClusterAttributes;
import software.amazon.awscdk.services.eks.ICluster;
import software.amazon.awscdk.services.eks.KubectlProvider;
import software.amazon.awscdk.services.eks.KubectlProviderAttributes;
import software.amazon.awscdk.services.iam.OpenIdConnectProvider;
import software.amazon.awscdk.services.iam.Role;

/** Prints the error of each bad input, as a user of Java sees it. */
public final class BadInput {
  public static void main(final String[] args) {
    Stack stack = new Stack(new App(), "Data");
    ICluster cluster = Cluster.fromClusterAttributes(stack, "Cluster", ClusterAttributes.builder()
        .clusterName("prod")
        .vpc(Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
            .vpcId("vpc-1").availabilityZones(List.of("eu-central-1a")).privateSubnetIds(List.of("subnet-1")).privateSubnetRouteTableIds(List.of("rtb-1")).build()))
        .clusterSecurityGroupId("sg-1")
        .openIdConnectProvider(OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, "Oidc",
            "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE"))
        .kubectlProvider(KubectlProvider.fromKubectlProviderAttributes(stack, "Provider", KubectlProviderAttributes.builder()
            .functionArn("arn:aws:lambda:eu-central-1:123456789012:function:kubectl")
            .kubectlRoleArn("arn:aws:iam::123456789012:role/kubectl")
            .handlerRole(Role.fromRoleArn(stack, "HandlerRole", "arn:aws:iam::123456789012:role/handler"))
            .build()))
        .build());
    IFileSystem fileSystem = FileSystem.fromFileSystemAttributes(stack, "FileSystem", FileSystemAttributes.builder()
        .fileSystemId("fs-1").securityGroup(SecurityGroup.fromSecurityGroupId(stack, "SecurityGroup", "sg-2")).build());
    AirflowUser ada = AirflowUser.builder().username("ada").email("ada@example.com").build();

    Map<String, Consumer<AirflowOnEks.Builder>> badInput = new LinkedHashMap<>();
    badInput.put("namespace", props -> props.namespace("kube-system"));
    badInput.put("quantity", props -> props.scheduler(ComponentOptions.builder().memory("2GB").build()));
    badInput.put("branch", props -> props.gitSync(GitSyncOptions.builder().repository("https://github.com/example/dags.git").branch("").build()));
    badInput.put("percent", props -> props.workers(WorkersOptions.builder()
        .autoscaling(WorkerAutoscaling.onMemory(MemoryAutoscalingOptions.builder().maxReplicas(3).targetMemoryPercent(0).build())).build()));
    badInput.put("host", props -> props.ingress(AlbIngressOptions.builder().host("*.example.com").build()));
    badInput.put("secret", props -> props.environment(Map.of("DB_PASS", "x")));
    badInput.put("secret in a value", props -> props.helmValues(Map.of("scheduler", Map.of("env", List.of(Map.of("name", "API_KEY", "value", "x"))))));
    badInput.put("extra", props -> props.connections(List.of(AirflowConnection.builder().id("a").type("http").extra("timeout=5").build())));
    badInput.put("duration", props -> props.readyTimeout(Duration.millis(1500)));
    badInput.put("image", props -> props.image(AirflowImage.fromRegistry("apache/airflow:3.3.2", "3.3.2")));
    badInput.put("without effect", props -> props.executor(AirflowExecutor.KUBERNETES).workers(WorkersOptions.builder().replicas(3).build()));
    badInput.put("file system", props -> props.persistence(PersistenceOptions.builder().fileSystem(fileSystem).removalPolicy(RemovalPolicy.DESTROY).build()));
    badInput.put("slots", props -> props.pools(List.of(AirflowPool.builder().name("a").slots(0.5).build())));
    badInput.put("empty role", props -> props.users(List.of(AirflowUser.builder().username("ada").email("ada@example.com").role(AirflowRole.of("")).build())));
    badInput.put("null in a list", props -> props.users(Arrays.asList(ada, null)));

    int index = 0;
    for (Map.Entry<String, Consumer<AirflowOnEks.Builder>> input : badInput.entrySet()) {
      try {
        AirflowOnEks.Builder props = AirflowOnEks.Builder.create(stack, "Airflow" + index).cluster(cluster).namespace("data-" + index++);
        input.getValue().accept(props);
        props.build();
        System.out.println(input.getKey() + " | accepted");
      } catch (RuntimeException error) {
        System.out.println(input.getKey() + " | " + error.getMessage().split("\n")[0]);
      }
    }
  }
}
