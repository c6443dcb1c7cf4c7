import { readFileSync } from 'fs';
import { join } from 'path';
import { NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { ACCOUNT, CLUSTERS, importedCluster, importedVpc, Json, newApp, REGION, resourcesOf } from './util';
import { AirflowImage, AirflowNodePools, AirflowOnEks, AirflowOnEksProps, AirflowSecret, SecretsBackend } from '../src';

const env = { account: ACCOUNT, region: REGION };

const keyed = (scope: Stack) => new secretsmanager.Secret(scope, 'Secret', { encryptionKey: new kms.Key(scope, 'Key') });

/** What users bring, created by the app, and imported as far as it can be. */
const BROUGHT: Record<string, (scope: Stack, vpc: ec2.IVpc) => Partial<AirflowOnEksProps>> = {
  'all that the app creates': (scope, vpc) => ({
    persistence: { fileSystem: new efs.FileSystem(scope, 'Files', { vpc, kmsKey: new kms.Key(scope, 'FilesKey') }) },
    environmentSecrets: { TOKEN: AirflowSecret.fromSecretsManager(keyed(scope)) },
    ingress: { host: 'airflow.example.com', certificate: new acm.Certificate(scope, 'Certificate', { domainName: 'airflow.example.com' }) },
    image: AirflowImage.fromEcrRepository(new ecr.Repository(scope, 'Images'), 'v1'),
    nodePools: AirflowNodePools.existing({
      stateless: { labels: {} },
      nodeRole: new iam.Role(scope, 'NodeRole', { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com') }),
      securityGroup: new ec2.SecurityGroup(scope, 'NodeSecurityGroup', { vpc, allowAllOutbound: false }),
    }),
  }),
  'what is imported': (scope, vpc) => ({
    persistence: {
      fileSystem: efs.FileSystem.fromFileSystemAttributes(scope, 'Files', {
        fileSystemId: 'fs-1', securityGroup: new ec2.SecurityGroup(scope, 'FilesSecurityGroup', { vpc }),
      }),
    },
    environmentSecrets: {
      NAMED: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, 'Named', 'token')),
      PARTIAL: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretAttributes(scope, 'Partial', {
        secretPartialArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:partial`, encryptionKey: new kms.Key(scope, 'Key'),
      })),
    },
    nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole: iam.Role.fromRoleName(scope, 'NodeRole', 'nodes') }),
  }),
  'the least': (scope, vpc) => ({ persistence: { fileSystem: new efs.FileSystem(scope, 'Files', { vpc }) } }),
};

/** Where it belongs, relative to the stack of the deployment. */
const PLACES: Record<string, (data: Stack, cluster: Stack) => Stack> = {
  'the stack of the deployment': (data) => data,
  'the stack of the cluster': (_data, cluster) => cluster,
  'a third stack': (_data, cluster) => new Stack(cluster.node.scope!, 'Foundation', { env }),
  'a nested stack of the deployment': (data) => new NestedStack(data, 'Foundation'),
};

const owned = Object.entries(CLUSTERS).filter(([name]) => name.endsWith('owned'));

describe.each(owned)('%s', (_name, cluster) => {
  describe.each(Object.entries(PLACES))('from %s', (_place, stackOf) => {
    test.each(Object.entries(BROUGHT))('%s', (_what, bring) => {
      const app = newApp();
      const platform = new Stack(app, 'Platform', { env });
      const data = new Stack(app, 'Data', { env });
      const shared = cluster(platform);
      new AirflowOnEks(data, 'Airflow', { cluster: shared, ...bring(stackOf(data, platform), shared.vpc) });
      app.synth();
      expect(platform.dependencies).not.toContain(data);
      expect(data.dependencies).toContain(platform);
    });
  });
});

const synth = (bring: (scope: Stack, vpc: ec2.IVpc) => Partial<AirflowOnEksProps>) => {
  const app = newApp();
  const [foundation, data] = ['Foundation', 'Data'].map((id) => new Stack(app, id, { env }));
  new AirflowOnEks(data, 'Airflow', { cluster: CLUSTERS['aws-eks, imported'](data), ...bring(foundation, importedVpc(foundation)) });
  app.synth();
  return { foundation: Template.fromStack(foundation), data: Template.fromStack(data) };
};

test('a file system of another stack admits the nodes by a rule in the stack of the deployment', () => {
  const { foundation, data } = synth(BROUGHT['the least']);
  expect(resourcesOf(foundation, 'AWS::EC2::SecurityGroupIngress')).toEqual([]);
  const rules = resourcesOf(data, 'AWS::EC2::SecurityGroupIngress').filter(({ FromPort }) => FromPort === 2049);
  expect(rules).toEqual([expect.objectContaining({
    GroupId: { 'Fn::ImportValue': expect.stringMatching(/^Foundation:ExportsOutputFnGetAttFilesEfsSecurityGroup/) },
    SourceSecurityGroupId: { 'Fn::GetAtt': [expect.stringMatching(/^AirflowNodePoolsSecurityGroup/), 'GroupId'] },
    ToPort: 2049,
  })]);
  expect(releaseDependencies(data)).toEqual(expect.arrayContaining([
    expect.stringMatching(/^AirflowNodePoolsSecurityGroupFoundation.*2049/), expect.stringMatching(/^AirflowPersistenceMountPolicy/),
  ]));
});

test('nodes of another stack mount the file system by a rule and a policy in the stack of the deployment', () => {
  const { foundation, data } = synth((scope, vpc) => ({ nodePools: BROUGHT['all that the app creates'](scope, vpc).nodePools }));
  expect([...resourcesOf(foundation, 'AWS::EC2::SecurityGroupEgress'), ...resourcesOf(foundation, 'AWS::IAM::Policy')]).toEqual([]);
  const imported = (name: string) => ({ 'Fn::ImportValue': expect.stringContaining(name) });
  expect(resourcesOf(data, 'AWS::EC2::SecurityGroupIngress')).toEqual([expect.objectContaining({ FromPort: 2049, SourceSecurityGroupId: imported('NodeSecurityGroup') })]);
  expect(resourcesOf(data, 'AWS::EC2::SecurityGroupEgress')).toEqual([expect.objectContaining({ FromPort: 2049, GroupId: imported('NodeSecurityGroup') })]);
  expect(resourcesOf(data, 'AWS::IAM::Policy').map(({ Roles }) => Roles)).toEqual(expect.arrayContaining([[imported('NodeRole')]]));
  expect(releaseDependencies(data)).toEqual(expect.arrayContaining([expect.stringMatching(/^AirflowPersistenceSecurityGroup.*2049/)]));
});

test('a secret of another stack is read by a policy in the stack of the deployment, with its key', () => {
  const { foundation, data } = synth((scope) => ({ environmentSecrets: { TOKEN: AirflowSecret.fromSecretsManager(keyed(scope)) } }));
  expect(JSON.stringify(foundation)).not.toContain('ImportValue');
  const statements: Json[] = resourcesOf(data, 'AWS::IAM::Policy').flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  expect(statements).toContainEqual({
    Action: 'kms:Decrypt',
    Effect: 'Allow',
    Resource: { 'Fn::ImportValue': expect.stringContaining('Key') },
    Condition: { StringEquals: { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com` } },
  });
});

test('two deployments in two stacks add policies with different names to the role of the same nodes', () => {
  const app = newApp();
  const stacks = ['One', 'Two'].map((id) => {
    const stack = new Stack(app, id, { env });
    const nodeRole = iam.Role.fromRoleName(stack, 'NodeRole', 'nodes');
    new AirflowOnEks(stack, 'Airflow', {
      cluster: CLUSTERS['aws-eks, imported'](stack), namespace: `airflow-${id.toLowerCase()}`, nodePools: AirflowNodePools.existing({ stateless: { labels: {} }, nodeRole }),
    });
    return stack;
  });
  app.synth();
  const names = stacks.flatMap((stack) => resourcesOf(Template.fromStack(stack), 'AWS::IAM::Policy'))
    .filter(({ Roles }) => Roles[0] === 'nodes').map(({ PolicyName }) => PolicyName);
  expect(names).toEqual([expect.stringMatching(/^One-Airflow-Persistence-\w+-MountPolicy$/), expect.stringMatching(/^Two-Airflow-Persistence-\w+-MountPolicy$/)]);
});

test('security groups that are imported as immutable get no rules', () => {
  const { data } = synth((scope) => ({
    persistence: {
      fileSystem: efs.FileSystem.fromFileSystemAttributes(scope, 'Files', {
        fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(scope, 'FilesSecurityGroup', 'sg-2', { mutable: false }),
      }),
    },
  }));
  expect(resourcesOf(data, 'AWS::EC2::SecurityGroupIngress').filter(({ FromPort }) => FromPort === 2049)).toEqual([]);
});

test('what reads the secrets waits for all policies of its role, however many secrets there are', () => {
  const { data } = synth((scope) => ({
    environmentSecrets: Object.fromEntries([...Array(60).keys()].map((number) => [
      `TOKEN_${number}`, AirflowSecret.fromSecretsManager(new secretsmanager.Secret(scope, `Secret${number}`)),
    ])),
  }));
  const overflow = Object.keys(data.findResources('AWS::IAM::ManagedPolicy'));
  expect(overflow.length).toBeGreaterThan(0);
  const [manifest] = Object.entries(data.findResources('Custom::AWSCDK-EKS-KubernetesResource')).filter(([id]) => id.startsWith('AirflowSecretsManifest'));
  expect(manifest[1].DependsOn).toEqual(expect.arrayContaining([...overflow, expect.stringMatching(/^AirflowSecretsRoleDefaultPolicy/)]));
});

test('roles that somebody else creates', () => {
  const app = newApp();
  iam.Role.customizeRoles(app, {
    usePrecreatedRoles: {
      'Data/Airflow/Role': 'pods',
      'Data/Airflow/NodePools/Role': 'nodes',
      'Data/Airflow/Secrets/Role': 'secrets',
      'Data/Cluster/AirflowEfsCsiDriver/Role': 'driver',
    },
  });
  const data = new Stack(app, 'Data', { env });
  new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), secretsBackend: SecretsBackend.secretsManager('airflow') });
  app.synth();
  const template = Template.fromStack(data);
  expect([...resourcesOf(template, 'AWS::IAM::Role'), ...resourcesOf(template, 'AWS::IAM::Policy')]).toEqual([]);
  const report = JSON.parse(readFileSync(join(app.outdir, 'iam-policy-report.json'), 'utf8'));
  const actions = Object.fromEntries(report.roles.map(({ roleName, identityPolicyStatements }: Json) =>
    [roleName, identityPolicyStatements.flatMap(({ Action }: Json) => Action)]));
  expect(actions).toMatchObject({
    pods: ['secretsmanager:GetSecretValue'],
    nodes: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite'],
    secrets: expect.arrayContaining(['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret']),
    driver: expect.arrayContaining(['elasticfilesystem:CreateAccessPoint']),
  });
});

test.each(['persistence.fileSystem', 'AirflowSecret.fromSecretsManager(Foundation/Secret)', 'ingress.certificate'])('fails when the app creates it in another Region: %s', (prop) => {
  const app = newApp();
  const foundation = new Stack(app, 'Foundation', { env: { account: ACCOUNT, region: 'us-east-1' } });
  const data = new Stack(app, 'Data', { env });
  const { persistence, environmentSecrets, ingress } = BROUGHT['all that the app creates'](foundation, importedVpc(foundation));
  const props = prop.startsWith('persistence') ? { persistence } : prop.startsWith('ingress') ? { ingress } : { environmentSecrets };
  expect(() => new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), ...props })).toThrow(
    `'${prop}' must be created in the account and Region of the deployment (aws://${ACCOUNT}/${REGION}), got aws://${ACCOUNT}/us-east-1;`
    + " set the same 'env' for both stacks");
});

function releaseDependencies(template: Template): string[] {
  const [release] = Object.values(template.findResources('Custom::AWSCDK-EKS-HelmChart', { Properties: { Release: 'airflow' } }));
  return release.DependsOn;
}
