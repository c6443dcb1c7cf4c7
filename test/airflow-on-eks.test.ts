import { Duration, SecretValue, Stack, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { ACCOUNT, CHARTS_UNDER_TEST, CLUSTERS, importedCluster, importedVpc, newStack, objectsOf, releasesOf, synthAirflow, synthCommunity, valuesOf, newApp } from './util';
import { AirflowChart, AirflowOnEks, AirflowOnEksProps, AirflowSecret, EfsCsiDriverSetup, ExternalSecretsSetup } from '../src';

const PEM = `${'-----BEGIN'} RSA PRIVATE KEY-----`;

test('defaults', () => {
  const { airflow, template } = synthAirflow();
  expect(airflow.namespace).toBe('airflow');
  expect(objectsOf(template, 'Namespace').map(({ metadata }) => metadata.name)).toEqual(['airflow']);
  expect(airflow.nodePools).toBeDefined();
  expect(airflow.ingress).toBeUndefined();
  expect(objectsOf(template, 'Ingress')).toEqual([]);
  expect(airflow.fileSystem).toBe(airflow.persistence.fileSystem);
  const [{ properties }] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect(properties).toMatchObject({ Timeout: '840s', Wait: true, Namespace: 'airflow', Release: 'airflow', Version: '1.22.0' });
});

test('custom: names derive from the namespace', () => {
  const { template } = synthAirflow({ namespace: 'data-science', helmTimeout: Duration.minutes(10), ingress: {} });
  const [{ release, namespace, properties }] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect({ release, namespace, timeout: properties.Timeout }).toEqual({ release: 'data-science', namespace: 'data-science', timeout: '600s' });
  for (const { kind, metadata } of objectsOf(template)) {
    expect(`${kind}/${metadata.name}`).toContain('data-science');
    expect([undefined, 'data-science']).toContain(metadata.namespace);
  }
  expect(objectsOf(template, 'Ingress')[0].spec.rules[0].http.paths[0].backend.service.name).toBe('data-science-api-server');
});

test('few calls to the cluster: one manifest per phase', () => {
  const { template } = synthAirflow({ ingress: {} });
  template.resourceCountIs('Custom::AWSCDK-EKS-KubernetesResource', 3); // namespace and storage, secrets, ingress
  template.resourceCountIs('Custom::AWSCDK-EKS-HelmChart', 3);
});

test('the DAGs get what is granted to Airflow', () => {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
  new s3.Bucket(stack, 'Bucket').grantRead(airflow);
  const template = Template.fromStack(stack);
  const [role] = Object.keys(template.findResources('AWS::IAM::Role', { Properties: { Description: 'Pods of Airflow, and so its DAGs' } }));
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

test('what Airflow connects to lets its nodes in', () => {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });
  const database = new ec2.SecurityGroup(stack, 'Warehouse', { vpc: importedVpc(new Stack(stack, 'Other')) });
  database.connections.allowFrom(airflow, ec2.Port.tcp(5432));
  expect(airflow.connections.securityGroups).toEqual([airflow.nodePools!.securityGroup]);
  Template.fromStack(stack).hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
    FromPort: 5432, SourceSecurityGroupId: stack.resolve(airflow.nodePools!.securityGroup.securityGroupId),
  });
});

test('two Airflows in one stack share driver and operator, and nothing else', () => {
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

test.each(['cn-north-1', 'us-gov-west-1'])('no ARN of ours is of the partition aws: %s', (region) => {
  const stack = new Stack(newApp(), 'Data', { env: { account: ACCOUNT, region } });
  const attributes = { clusterName: 'prod', vpc: importedVpc(stack), clusterSecurityGroupId: 'sg-1' };
  const partition = region.startsWith('cn') ? 'aws-cn' : 'aws-us-gov';
  const cluster = eksv2.Cluster.fromClusterAttributes(stack, 'Cluster', {
    ...attributes,
    openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(stack, 'Oidc', `arn:${partition}:iam::${ACCOUNT}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/EXAMPLE`),
    kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(stack, 'Provider', { serviceToken: `arn:${partition}:lambda:${region}:${ACCOUNT}:function:kubectl` }),
  });
  new AirflowOnEks(stack, 'Airflow', { cluster, nodePools: { clusterAutoscaler: true }, ingress: {} });
  expect(JSON.stringify(Template.fromStack(stack).toJSON())).not.toMatch(/arn:aws:/);
});

test('a cluster whose name only CloudFormation knows', () => {
  const stack = newStack();
  const cluster = CLUSTERS['aws-eks-v2, owned'](stack);
  new AirflowOnEks(stack, 'Airflow', { cluster });
  expect(Token.isUnresolved(cluster.clusterName)).toBe(true);
  Template.fromStack(stack).hasResourceProperties('AWS::EKS::Nodegroup', { Tags: { Name: { 'Fn::Join': ['', [{ Ref: Match.stringLikeRegexp('^Cluster') }, '-airflow-workers']] } } });
});

describe('an imported cluster that lacks attributes is told all of them at once', () => {
  const lack = "Data/Airflow: 'cluster' lacks what Airflow needs; give to fromClusterAttributes(): "
    + "'vpc' (the VPC, for the file system and the nodes); 'clusterSecurityGroupId' (the cluster security group, for the nodes); "
    + "'openIdConnectProvider' (the OIDC provider, for the pods' AWS identities); ";

  test('aws-eks', () => {
    const stack = newStack();
    const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(new Error(
      `${lack}'kubectlRoleArn' (the role that may use kubectl, or a kubectlProvider); 'kubectlLayer' (the layer with kubectl and helm, or a kubectlProvider)`));
  });

  test('aws-eks-v2', () => {
    const stack = newStack();
    const cluster = eksv2.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow(new Error(`${lack}'kubectlProvider' (the provider that runs kubectl and helm)`));
  });

  test('before anything is made', () => {
    const stack = newStack();
    const cluster = eks.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod' });
    expect(() => new AirflowOnEks(stack, 'Airflow', { cluster })).toThrow();
    expect(stack.node.findChild('Airflow').node.children).toEqual([]);
  });
});

const user = (username: string, email = 'joe@example.com') => ({ username, email });
const secret = AirflowSecret.fromKubernetesSecret('mine', 'key');
const RESOLVE = "must not hold a SecretValue, which would arrive in the cluster as the text '{{resolve:...'; give it as an AirflowSecret";

const BAD_INPUT: [string, Partial<AirflowOnEksProps>, string][] = [
  ['the namespace is no DNS label', { namespace: 'My_Airflow' }, "'namespace' must be a DNS label (lower case letters, digits, and - inside), got 'My_Airflow'"],
  ['the namespace ends in -', { namespace: 'airflow-' }, "'namespace' must be a DNS label (lower case letters, digits, and - inside), got 'airflow-'"],
  ['the namespace is too long', { namespace: 'a'.repeat(41) },
    `'namespace' must have at most 40 characters, because the chart derives names from it, got 41 ('${'a'.repeat(41)}')`],
  ['the namespace is a token', { namespace: Token.asString({ Ref: 'Namespace' }) }, "'namespace' must be known at synthesis, because names derive from it, got a token"],
  ['helm may take longer than its function', { helmTimeout: Duration.minutes(15) },
    "'helmTimeout' must be at most 14 minutes, because the function that runs helm ends after 15, got 900 seconds"],
  ['there are no web servers', { webServers: 0 }, "'webServers' must be at least 1, got 0"],
  ['there is half a scheduler', { schedulers: 1.5 }, "'schedulers' must be at least 1, got 1.5"],
  ['nodes are made and given', { nodePools: {}, existingNodes: { stateless: { labels: {} }, nodeRole: undefined as any } },
    "'nodePools' and 'existingNodes' exclude each other, got both; take one out"],
  ['a user is there twice', { users: [user('joe'), user('jane'), user('joe')] }, "'users' must have each name once, got 'joe' twice"],
  ['a user name has other characters', { users: [user('joe doe')] }, "'users.username' must be made of letters, digits and . _ - @, got 'joe doe'"],
  ['an e-mail address is none', { users: [user('joe', 'joe')] }, "'users.joe.email' must be an e-mail address, got 'joe'"],
  ['a connection is there twice', { connections: [{ id: 'a', type: 'http' }, { id: 'a', type: 'aws' }] }, "'connections' must have each name once, got 'a' twice"],
  ['a variable is there twice', { variables: [{ key: 'a', value: '1' }, { key: 'a', value: '2' }] }, "'variables' must have each name once, got 'a' twice"],
  ['a pool is there twice', { pools: [{ name: 'a', slots: 1 }, { name: 'a', slots: 2 }] }, "'pools' must have each name once, got 'a' twice"],
  ['a connection has two logins', { connections: [{ id: 'a', type: 'http', login: 'me', loginSecret: secret }] },
    "'connections.a' must have one of 'login' and 'loginSecret', got both"],
  ['a connection has a password in its JSON', { connections: [{ id: 'a', type: 'aws', extra: '{"aws_secret_access_key": "abc"}' }] },
    "'connections.a.extra' must not hold a secret in plain text; keep the whole JSON in AWS Secrets Manager and use 'extraSecret'"],
  ['a variable has no value', { variables: [{ key: 'a' }] }, "'variables.a' must have one of 'value' and 'secret', got none"],
  ['a variable has two values', { variables: [{ key: 'a', value: '1', secret }] }, "'variables.a' must have one of 'value' and 'secret', got both"],
  ['a variable is named like a password', { variables: [{ key: 'smtp_password', value: 'x' }] },
    "'variables.smtp_password' must not hold a secret in plain text; use its 'secret'"],
  ['an option is a password', { config: { 'smtp.smtp_password': 'x' } },
    "'config' must not hold a secret in plain text, got AIRFLOW__SMTP__SMTP_PASSWORD; use 'extraSecrets' with this name"],
  ['an environment variable is a token', { environment: { GITHUB_TOKEN: 'x' } }, "'environment' must not hold a secret in plain text, got GITHUB_TOKEN; use 'extraSecrets' with this name"],
  ['an option has no section', { config: { parallelism: '1' } }, "'config' must be options as 'section.key', got 'parallelism'"],
  ['an environment variable is none', { environment: { 'A-B': '1' } }, "'environment' must be names of environment variables, got 'A-B'"],
  ['an extra secret starts with a digit', { extraSecrets: { '1a': secret } },
    "'extraSecrets' must be names that start with a letter, of letters, digits and . _ -, got '1a'"],
  ['a variable is set from two places', { environment: { SLACK: 'x' }, extraSecrets: { slack: secret } },
    "'extraSecrets, environment and config' must have each name once, got 'SLACK' twice"],
  ['a SecretValue is in values', { values: { web: { env: SecretValue.secretsManager('a') } } }, `'values' ${RESOLVE}`],
  ['a SecretValue is in an option', { config: { 'core.x': SecretValue.secretsManager('a').unsafeUnwrap() } }, `'config' ${RESOLVE}`],
  ['a SecretValue is in a variable', { variables: [{ key: 'a', value: SecretValue.secretsManager('a').unsafeUnwrap() }] }, `'variables' ${RESOLVE}`],
  ['a SecretValue is in the environment', { environment: { A: SecretValue.ssmSecure('a').unsafeUnwrap() } }, `'environment' ${RESOLVE}`],
  ['a dynamic reference is in a connection', { connections: [{ id: 'a', type: 'http', login: '{{resolve:secretsmanager:a}}' }] }, `'connections' ${RESOLVE}`],
  ['a private key is in values', { values: { airflow: { x: PEM } } },
    "'values' must not hold a private key in plain text; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()"],
  ['a private key is a variable', { variables: [{ key: 'a', value: PEM }] },
    "'variables' must not hold a private key in plain text; keep it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()"],
  ['values have the password of an external database', { chart: AirflowChart.community(), values: { externalDatabase: { password: 'x' } } },
    "'values.externalDatabase.password' is what 'values.externalDatabase.passwordSecret' is for;"
    + " take it out of 'values' and use 'values.externalDatabase.passwordSecret'"],
];

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each(BAD_INPUT)('fails when %s', (_name, props, message) => {
    expect(() => synthAirflow({ chart: chart(), ...props })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

test('without an ingress there is no URL', () => {
  const { airflow } = synthAirflow();
  expect(() => airflow.url).toThrow(new Error("Data/Airflow: 'url' needs 'ingress', got none; without it, reach the web UI by kubectl port-forward"));
});

test('with driver and operator of the cluster, and secrets in it, one release and one manifest are left', () => {
  const local = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);
  const { template } = synthCommunity({
    efsCsiDriver: EfsCsiDriverSetup.EXISTING,
    externalSecrets: ExternalSecretsSetup.EXISTING,
    secrets: {
      fernetKey: local('fernet'),
      webserverSecretKey: local('webserver'),
      databasePassword: local('postgresql-password'),
      redisPassword: local('redis'),
      flowerPassword: local('flower'),
    },
    users: [{ username: 'admin', email: 'admin@example.com', password: local('admin') }],
  });
  template.resourceCountIs('Custom::AWSCDK-EKS-HelmChart', 1);
  template.resourceCountIs('Custom::AWSCDK-EKS-KubernetesResource', 1);
  // What runs kubectl is the cluster's own.
  template.resourceCountIs('AWS::Lambda::Function', 0);
});
