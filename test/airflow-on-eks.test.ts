import { Duration, SecretValue, Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import {
  ACCOUNT, awaitedOf, CHARTS_UNDER_TEST, CLUSTERS, importedCluster, importedVpc, newApp, newStack, objectsOf, releasesOf, synthAirflow,
  synthCommunity, valuesOf,
} from './util';
import {
  AirflowChart, AirflowNodePools, AirflowOnEks, AirflowOnEksProps, AirflowSecret, CeleryBroker, EfsCsiDriverInstallation, ExternalSecretsInstallation,
} from '../src';

const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

test('defaults', () => {
  const { airflow, template, stack } = synthAirflow();
  expect([airflow.namespace, airflow.chart.chartVersion, airflow.chart.airflowVersion]).toEqual(['airflow', '1.22.0', '3.3.2']);
  const [{ properties, values }] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect(properties).toMatchObject({
    Namespace: 'airflow', Release: 'airflow', Version: '1.22.0', Repository: 'https://airflow.apache.org',
  });
  const ready = Object.values(awaitedOf(stack)).filter(({ ObjectType }) => ObjectType === 'deployment');
  expect(ready).not.toEqual([]);
  expect(ready.map(({ TimeoutSeconds }) => TimeoutSeconds)).toEqual(ready.map(() => 840));
  expect(values).toMatchObject({ executor: 'CeleryExecutor', airflowVersion: '3.3.2', defaultAirflowRepository: 'apache/airflow', defaultAirflowTag: '3.3.2' });
  const replicas = ['apiServer', 'scheduler', 'dagProcessor', 'triggerer'].map((component) => values[component].replicas);
  expect(replicas).toEqual([2, 2, 1, 1]);
  expect(values.workers.celery.replicas).toBe(2);
  expect(values.databaseCleanup).toMatchObject({ enabled: true, retentionDays: 90 });
  expect([values.dags.gitSync.enabled, values.extraEnv, values.config]).toEqual([false, '', { core: { default_task_retries: 2 } }]);
  template.resourceCountIs('AWS::EKS::Nodegroup', 3);
  template.hasResource('AWS::EFS::FileSystem', { DeletionPolicy: 'RetainExceptOnCreate' });
  template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'RetainExceptOnCreate' });
  expect(releasesOf(template).map(({ chart }) => chart).sort()).toEqual(['airflow', 'aws-efs-csi-driver', 'external-secrets']);
  expect(valuesOf(template, 'aws-efs-csi-driver').node.nodeSelector).toEqual({ role: 'airflow' });
  expect(Object.keys(airflow.secrets.userPasswords)).toEqual(['admin']);
  expect(airflow.ingress).toBeUndefined();
  expect(objectsOf(template, 'Ingress')).toEqual([]);
  expect(airflow.fileSystem).toBe(airflow.persistence!.fileSystem);
});

test('defaults: the community chart, without example DAGs', () => {
  const { airflow } = valuesOf(synthCommunity().template);
  expect(airflow).toMatchObject({ extraPipPackages: [], connections: [], variables: [], pools: [], config: { AIRFLOW__CORE__LOAD_EXAMPLES: 'False' } });
  expect(airflow.users).toEqual([expect.objectContaining({ username: 'admin', role: 'Admin' })]);
});

test('custom', () => {
  const { template, stack } = synthAirflow({ readyTimeout: Duration.minutes(10), helmValues: { statsd: { uid: 1 } }, removedHelmValues: ['scheduler.livenessProbe'] });
  const [{ values }] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect(awaitedOf(stack)['Airflow/Ready/Scheduler'].TimeoutSeconds).toBe(600);
  expect([values.statsd, values.scheduler.livenessProbe]).toEqual([expect.objectContaining({ enabled: true, uid: 1 }), null]);
  expect(valuesOf(synthCommunity({ pipPackages: ['pandas==2.2.0'] }).template).airflow.extraPipPackages).toEqual(['pandas==2.2.0']);
});

test('few calls to the cluster: one manifest per phase', () => {
  const { template } = synthAirflow({ ingress: {} });
  template.resourceCountIs('Custom::AWSCDK-EKS-KubernetesResource', 7); // namespace, storage, secrets, database, PgBouncer, broker, ingress
  template.resourceCountIs('Custom::AWSCDK-EKS-HelmChart', 3);
});

test('the DAGs get the permissions that are granted to the construct', () => {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
  new s3.Bucket(stack, 'Bucket').grantRead(airflow);
  const template = Template.fromStack(stack);
  const [role] = Object.keys(template.findResources('AWS::IAM::Role', { Properties: { Description: "Pods and DAGs of the Airflow deployment 'airflow'" } }));
  template.hasResourceProperties('AWS::IAM::Policy', {
    Roles: [{ Ref: role }], PolicyDocument: { Statement: [Match.objectLike({ Action: Match.arrayWith(['s3:GetObject*']) })] },
  });
  expect(valuesOf(template).scheduler.serviceAccount).toEqual({ create: true, name: 'airflow', annotations: { 'eks.amazonaws.com/role-arn': `<${role}.Arn>` } });
  expect(airflow.grantPrincipal).toBe(airflow.role);
  template.hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [Match.objectLike({ Condition: { StringEquals: { 'oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:sub': 'system:serviceaccount:airflow:airflow' } } })],
    },
  });
});

test('a resource that allows connections from the construct admits its nodes', () => {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
  const database = new ec2.SecurityGroup(stack, 'Warehouse', { vpc: importedVpc(new Stack(stack, 'Other')) });
  database.connections.allowFrom(airflow, ec2.Port.tcp(5432));
  const nodes = airflow.node.findChild('NodePools').node.findChild('SecurityGroup') as ec2.SecurityGroup;
  expect(airflow.connections.securityGroups).toEqual([nodes]);
  Template.fromStack(stack).hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    FromPort: 5432, SourceSecurityGroupId: stack.resolve(nodes.securityGroupId),
  });
});

test('two deployments in one stack share driver and operator, and nothing else', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  new AirflowOnEks(stack, 'One', { cluster, namespace: 'one' });
  new AirflowOnEks(stack, 'Two', { cluster, namespace: 'two' });
  const template = Template.fromStack(stack);
  expect(releasesOf(template).map(({ release }) => release).sort()).toEqual(['aws-efs-csi-driver', 'external-secrets', 'one', 'two']);
  template.resourceCountIs('AWS::EFS::FileSystem', 2);
  template.resourceCountIs('AWS::EKS::Nodegroup', 6);
  const names = objectsOf(template).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  expect(new Set(names).size).toBe(names.length);
});

test.each(['cn-north-1', 'us-gov-west-1'])('no ARN of the library is in the partition aws: %s', (region) => {
  const stack = new Stack(newApp(), 'Data', { env: { account: ACCOUNT, region } });
  const attributes = { clusterName: 'prod', vpc: importedVpc(stack), clusterSecurityGroupId: 'sg-1' };
  const partition = region.startsWith('cn') ? 'aws-cn' : 'aws-us-gov';
  const cluster = eksv2.Cluster.fromClusterAttributes(stack, 'Cluster', {
    ...attributes,
    openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc', `arn:${partition}:iam::${ACCOUNT}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/EXAMPLE`),
    kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(stack, 'Provider', { serviceToken: `arn:${partition}:lambda:${region}:${ACCOUNT}:function:kubectl` }),
  });
  new AirflowOnEks(stack, 'Airflow', { cluster, nodePools: AirflowNodePools.managedNodeGroups({ clusterAutoscaler: true }), ingress: {} });
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toMatch(/arn:aws:/);
});

test('a cluster whose name only CloudFormation knows', () => {
  const stack = newStack();
  const cluster = CLUSTERS['aws-eks-v2, owned'](stack);
  new AirflowOnEks(stack, 'Airflow', { cluster });
  expect(Token.isUnresolved(cluster.clusterName)).toBe(true);
  Template.fromStack(stack).hasResourceProperties('AWS::EKS::Nodegroup', { Tags: { Name: { 'Fn::Join': ['', [{ Ref: Match.stringLikeRegexp('^Cluster') }, '-airflow-workers']] } } });
});

test('with an existing driver and operator, and Kubernetes Secrets, one release and four manifests are left', () => {
  const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
  const { template } = synthCommunity({
    efsCsiDriver: EfsCsiDriverInstallation.existing(),
    externalSecrets: ExternalSecretsInstallation.existing(),
    secrets: {
      fernetKey: own('fernet'),
      apiSecretKey: own('webserver'),
      databasePassword: own('postgresql-password'),
      flowerPassword: own('flower'),
    },
    broker: CeleryBroker.fromUrl(own('connection')),
    users: [{ username: 'admin', email: 'admin@example.com', password: own('admin') }],
  });
  template.resourceCountIs('Custom::AWSCDK-EKS-HelmChart', 1);
  template.resourceCountIs('Custom::AWSCDK-EKS-KubernetesResource', 4); // namespace, storage, database, PgBouncer
  // The cluster has its own function for kubectl.
  template.resourceCountIs('AWS::Lambda::Function', 0);
});

test('warns of an Airflow version that has reached end of life', () => {
  const warnings = (props: Partial<AirflowOnEksProps>) =>
    Annotations.fromStack(synthAirflow(props).stack).findWarning('/Data/Airflow', Match.anyValue()).map(({ entry }) => entry.data);
  expect(warnings({})).toEqual([]);
  const message = (version: string) => `Airflow ${version} gets no security fixes, because Airflow 2 reached end of life in April 2026;`
    + ' use AirflowChart.official() with Airflow 3 for new deployments [ack: airflow-on-eks:airflow2EndOfLife]';
  expect(warnings({ chart: AirflowChart.community() })).toEqual([message('2.8.4')]);
  expect(warnings({ chart: AirflowChart.official({ airflowVersion: '2.11.2' }) })).toEqual([message('2.11.2')]);
});

const TIMEOUT = "'readyTimeout' must be from 1 second to 14 minutes in whole seconds, because the function that waits stops after 15 minutes, got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Partial<AirflowOnEksProps>, string]>([
    ['a deployment may wait for longer than the function that waits', { readyTimeout: Duration.minutes(15) }, `${TIMEOUT} 900 seconds`],
    ['components have no time', { readyTimeout: Duration.seconds(0) }, `${TIMEOUT} 0 seconds`],
    ['helmValues contain a SecretValue', { helmValues: { web: { env: SecretValue.secretsManager('a') } } },
      "'helmValues.web.env' must not contain a SecretValue, which would reach the cluster as the text '{{resolve:...'; use an AirflowSecret"],
    ['helmValues contain a private key', { helmValues: { airflow: { x: PEM } } },
      "'helmValues.airflow.x' must not contain a private key in plain text; use 'environmentSecrets', or name a Kubernetes Secret of your own"],
    ['helmValues contain the password of an external database', { chart: AirflowChart.community(), helmValues: { externalDatabase: { password: 'x' } } },
      "'helmValues.externalDatabase' must not be set, because 'database' sets it; use 'database'"],
  ])('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

test('fails when the official chart gets Python packages', () => {
  expect(() => synthAirflow({ pipPackages: ['pandas'] })).toThrow(new Error(
    "Data/Airflow: 'pipPackages' is not available with the official chart; use an 'image' that contains the packages, such as AirflowImage.fromAsset()"));
});

test('fails when the URL is read and there is no ingress', () => {
  const { airflow } = synthAirflow();
  expect(() => airflow.url).toThrow(new Error("Data/Airflow: 'url' needs 'ingress', got no ingress; without one, use kubectl port-forward to reach the web UI"));
});
