import { Template } from 'aws-cdk-lib/assertions';
import { CLUSTERS, importedCluster, newStack, releasesOf, synthAirflow, valuesOf } from './util';
import { ExternalSecrets, ExternalSecretsSetup } from '../src';

test('defaults', () => {
  const stack = newStack();
  new ExternalSecrets(stack, 'Operator', { cluster: importedCluster(stack) });
  const template = Template.fromStack(stack);
  const [{ release, namespace, version, properties }] = releasesOf(template);
  expect({ release, namespace, version }).toEqual({ release: 'external-secrets', namespace: 'external-secrets', version: '2.9.0' });
  expect(properties.CreateNamespace).toBe(true);
  expect(valuesOf(template, 'external-secrets')).toEqual({
    webhook: { create: false },
    certController: { create: false },
    crds: { annotations: { 'helm.sh/resource-policy': 'keep' } },
    global: { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }] },
  });
  // Each SecretStore reads as a service account of its own.
  template.resourceCountIs('AWS::IAM::Role', 0);
});

test.each<[ExternalSecretsSetup | undefined, number]>([
  [undefined, 1], [ExternalSecretsSetup.INSTALL, 1], [ExternalSecretsSetup.EXISTING, 0],
])('setup %s', (externalSecrets, installed) => {
  const { template } = synthAirflow({ externalSecrets });
  expect(releasesOf(template).filter(({ chart }) => chart === 'external-secrets')).toHaveLength(installed);
});

test.each(Object.entries(CLUSTERS))('a cluster has one, beside it: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  const operator = ExternalSecrets.forCluster({ cluster });
  expect(ExternalSecrets.forCluster({ cluster })).toBe(operator);
  expect(operator.node.scope).toBe(cluster);
});
