import { Template } from 'aws-cdk-lib/assertions';
import { awaitedOf, CLUSTERS, importedCluster, newStack, releasesOf, synthAirflow, valuesOf } from './util';
import { AirflowOnEks, ExternalSecrets, ExternalSecretsInstallation } from '../src';

test('defaults', () => {
  const stack = newStack();
  ExternalSecrets.getOrCreate(importedCluster(stack));
  const template = Template.fromStack(stack);
  const [{ release, namespace, version, properties }] = releasesOf(template);
  expect({ release, namespace, version }).toEqual({ release: 'external-secrets', namespace: 'external-secrets', version: '2.9.0' });
  expect(properties.CreateNamespace).toBe(true);
  expect(valuesOf(template, 'external-secrets')).toEqual({
    resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '512Mi' } },
    webhook: { create: false },
    certController: { create: false },
    crds: { annotations: { 'helm.sh/resource-policy': 'keep' } },
    global: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }] },
  });
  expect(properties.Wait).toBeUndefined(); // its pods may run on nodes that a later stack creates
  // Each SecretStore names the service account whose role it uses.
  template.resourceCountIs('AWS::IAM::Role', 0);
});

test.each(Object.entries(CLUSTERS))('defaults: what depends on it waits until its definitions are established: %s', (_name, make) => {
  const stack = newStack();
  ExternalSecrets.getOrCreate(make(stack));
  const awaited = awaitedOf(stack);
  const definition = (name: string) => expect.objectContaining({
    ObjectType: 'customresourcedefinition',
    ObjectName: name,
    ObjectNamespace: 'default',
    JsonPath: '.status.conditions[?(@.reason=="InitialNamesAccepted")].status', // 'True' in the condition Established
    TimeoutSeconds: 120,
  });
  expect(awaited).toEqual({
    'Cluster/AirflowExternalSecrets/SecretStoreDefinition': definition('secretstores.external-secrets.io'),
    'Cluster/AirflowExternalSecrets/ExternalSecretDefinition': definition('externalsecrets.external-secrets.io'),
  });
  const [chart] = Object.keys(Template.fromStack(stack).findResources('Custom::AWSCDK-EKS-HelmChart'));
  for (const { DependsOn } of Object.values(Template.fromStack(stack).findResources('Custom::AWSCDK-EKS-KubernetesObjectValue'))) {
    expect(DependsOn).toContain(chart);
  }
});

test.each<[string, ExternalSecretsInstallation | undefined, number]>([
  ['default', undefined, 1], ['on any node', ExternalSecretsInstallation.onAnyNode(), 1], ['existing', ExternalSecretsInstallation.existing(), 0],
])('installation: %s', (_name, externalSecrets, installed) => {
  const { template } = synthAirflow({ externalSecrets });
  expect(releasesOf(template).filter(({ chart }) => chart === 'external-secrets')).toHaveLength(installed);
});

test.each(Object.entries(CLUSTERS))('a cluster has one operator, which is its child: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  const operator = ExternalSecrets.getOrCreate(cluster);
  expect(operator).toBeInstanceOf(ExternalSecrets);
  expect(ExternalSecrets.getOrCreate(cluster)).toBe(operator);
  expect(operator.node.scope).toBe(cluster);
});

test('a deployment uses the operator that the app has installed', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  ExternalSecrets.getOrCreate(cluster);
  new AirflowOnEks(stack, 'Airflow', { cluster });
  expect(releasesOf(Template.fromStack(stack)).filter(({ chart }) => chart === 'external-secrets')).toHaveLength(1);
});
