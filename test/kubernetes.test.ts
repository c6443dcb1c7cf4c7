import { Duration, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { CLUSTERS, importedCluster, newStack, objectsOf, releasesOf, resourcesOf } from './util';
import { applyManifest, installChart, readObject, revisionOf, serviceAccountRole } from '../src/kubernetes';

const CHART = { chart: 'example', repository: 'https://charts.example.com', version: '1.2.3' };
const ROLE = { namespace: 'airflow', serviceAccount: 'worker', description: 'Example' };

describe.each(Object.entries(CLUSTERS))('%s', (_name, make) => {
  test('a manifest and a chart, with sorted keys', () => {
    const stack = newStack();
    const cluster = make(stack);
    applyManifest(stack, 'Manifest', cluster, [{ kind: 'B', apiVersion: 'v1' }], { overwrite: false });
    installChart(stack, 'Chart', cluster, { chart: CHART, release: 'example', namespace: 'default', values: { b: 1, a: { d: 2, c: 3 } } });
    const template = Template.fromStack(stack);
    expect(objectsOf(template, 'B').map((object) => Object.keys(object))).toEqual([['apiVersion', 'kind', 'metadata']]); // the CDK adds a label
    const [{ chart, version, namespace, properties, values }] = releasesOf(template);
    expect({ chart, version, namespace, repository: properties.Repository }).toEqual({ ...CHART, namespace: 'default' });
    expect(properties.CreateNamespace).not.toBe(true);
    expect([properties.Wait, properties.Timeout]).toEqual([undefined, undefined]);
    expect(JSON.stringify(values)).toBe('{"a":{"c":3,"d":2},"b":1}');
  });

  test.each([[true, true], [false, undefined]])('a manifest with overwrite: %s', (overwrite, property) => {
    const stack = newStack();
    applyManifest(stack, 'Manifest', make(stack), [{ apiVersion: 'v1', kind: 'B' }], { overwrite });
    expect(resourcesOf(Template.fromStack(stack), 'Custom::AWSCDK-EKS-KubernetesResource').map(({ Overwrite }) => Overwrite || undefined)).toEqual([property]);
  });

  test('a field that is read during deployment', () => {
    const stack = newStack();
    const query = { objectType: 'ingress', objectName: 'a', objectNamespace: 'default', jsonPath: '.status', timeout: Duration.minutes(1) };
    expect(stack.resolve(readObject(stack, 'Field', make(stack), query).value)).toEqual({ 'Fn::GetAtt': [expect.stringMatching(/^Field/), 'Value'] });
    Template.fromStack(stack).hasResourceProperties('Custom::AWSCDK-EKS-KubernetesObjectValue', {
      ObjectType: 'ingress', ObjectName: 'a', ObjectNamespace: 'default', JsonPath: '.status', TimeoutSeconds: 60, Revision: Match.absent(),
    });
  });

  test('a field that is read again when the revision changes, but not when only the order of its keys does', () => {
    const query = { objectType: 'ingress', objectName: 'a', objectNamespace: 'default', jsonPath: '.status', timeout: Duration.minutes(1) };
    const revisionWith = (value: unknown) => {
      const stack = newStack();
      readObject(stack, 'Field', make(stack), query, revisionOf(stack, value));
      const [field] = Object.values(Template.fromStack(stack).findResources('Custom::AWSCDK-EKS-KubernetesObjectValue'));
      return field.Properties.Revision;
    };
    expect(revisionWith({ a: 1, b: { c: 2, d: 3 } })).toMatch(/^[0-9a-f]{16}$/);
    expect(revisionWith({ b: { d: 3, c: 2 }, a: 1 })).toBe(revisionWith({ a: 1, b: { c: 2, d: 3 } }));
    expect(revisionWith({ a: 1, b: { c: 2, d: 4 } })).not.toBe(revisionWith({ a: 1, b: { c: 2, d: 3 } }));
  });
});

test('a role that one service account can assume', () => {
  const stack = newStack();
  serviceAccountRole(stack, 'Role', { cluster: importedCluster(stack), ...ROLE });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
    Description: 'Example',
    Policies: Match.absent(),
    AssumeRolePolicyDocument: {
      Statement: [Match.objectLike({
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            'oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:aud': 'sts.amazonaws.com',
            'oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE:sub': 'system:serviceaccount:airflow:worker',
          },
        },
      })],
    },
  });
});

test('a role whose OIDC issuer only CloudFormation knows', () => {
  const stack = newStack();
  const cluster = CLUSTERS['aws-eks, owned'](stack);
  expect(Token.isUnresolved(cluster.openIdConnectProvider.openIdConnectProviderIssuer)).toBe(true);
  serviceAccountRole(stack, 'Role', { cluster, ...ROLE });
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Role', {
    Description: 'Example',
    AssumeRolePolicyDocument: { Statement: [Match.objectLike({ Condition: { StringEquals: { 'Fn::GetAtt': [Match.stringLikeRegexp('^RoleClaims'), 'Value'] } } })] },
  });
});
