// Prints the error of each bad input. The files in the other languages are translations of this one.
import { AirflowExecutor, AirflowImage, AirflowOnEks, AirflowOnEksProps, AirflowRole, WorkerAutoscaling } from 'airflow-on-eks';
import { App, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';

const stack = new Stack(new App(), 'Data');
const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', {
  clusterName: 'prod',
  vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-1', availabilityZones: ['eu-central-1a'], privateSubnetIds: ['subnet-1'], privateSubnetRouteTableIds: ['rtb-1'],
  }),
  clusterSecurityGroupId: 'sg-1',
  openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc',
    'arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE'),
  kubectlProvider: eks.KubectlProvider.fromKubectlProviderAttributes(stack, 'Provider', {
    functionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:kubectl',
    kubectlRoleArn: 'arn:aws:iam::123456789012:role/kubectl',
    handlerRole: iam.Role.fromRoleArn(stack, 'HandlerRole', 'arn:aws:iam::123456789012:role/handler'),
  }),
});
const fileSystem = efs.FileSystem.fromFileSystemAttributes(stack, 'FileSystem', {
  fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'SecurityGroup', 'sg-2'),
});

const BAD_INPUT: Record<string, Partial<AirflowOnEksProps>> = {
  'namespace': { namespace: 'kube-system' },
  'quantity': { scheduler: { memory: '2GB' } },
  'branch': { gitSync: { repository: 'https://github.com/example/dags.git', branch: '' } },
  'percent': { workers: { autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: 3, targetMemoryPercent: 0 }) } },
  'host': { ingress: { host: '*.example.com' } },
  'secret': { environment: { DB_PASS: 'x' } },
  'secret in a value': { helmValues: { scheduler: { env: [{ name: 'API_KEY', value: 'x' }] } } },
  'extra': { connections: [{ id: 'a', type: 'http', extra: 'timeout=5' }] },
  'duration': { readyTimeout: Duration.millis(1500) },
  'image': { image: AirflowImage.fromRegistry('apache/airflow:3.3.2', '3.3.2') },
  'without effect': { executor: AirflowExecutor.KUBERNETES, workers: { replicas: 3 } },
  'file system': { persistence: { fileSystem, removalPolicy: RemovalPolicy.DESTROY } },
  'slots': { pools: [{ name: 'a', slots: 0.5 }] },
  'empty role': { users: [{ username: 'ada', email: 'ada@example.com', role: AirflowRole.of('') }] },
};

Object.entries(BAD_INPUT).forEach(([name, props], index) => {
  try {
    new AirflowOnEks(stack, `Airflow${index}`, { cluster, namespace: `data-${index}`, ...props });
    console.log(`${name} | accepted`);
  } catch (error) {
    console.log(`${name} | ${(error as Error).message}`);
  }
});
