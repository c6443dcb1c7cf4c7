import { Stack, Token } from 'aws-cdk-lib';
import * as eks from 'aws-cdk-lib/aws-eks';
import { Construct } from 'constructs';
import { CHARTS_UNDER_TEST, CLUSTERS, importedCluster, importedVpc, manifestOf, newApp, newStack, objectsOf, releasesOf, synthAirflow } from './util';
import { AirflowOnEks } from '../src';

test('defaults', () => {
  const { airflow, template } = synthAirflow();
  expect(airflow.namespace).toBe('airflow');
  expect(objectsOf(template, 'Namespace').map(({ metadata }) => metadata.name)).toEqual(['airflow']);
});

// An existing namespace may contain objects of somebody else, which would be deleted with the stack.
test('defaults: a manifest of its own, which fails during deployment if the namespace exists', () => {
  expect(manifestOf(synthAirflow().template, 'AirflowNamespace')).toEqual({ objects: ['Namespace/airflow'], overwrite: false });
});

test('custom: all names derive from the namespace', () => {
  const { template } = synthAirflow({ namespace: 'data-science', ingress: {} });
  const [{ release, namespace }] = releasesOf(template).filter(({ chart }) => chart === 'airflow');
  expect({ release, namespace }).toEqual({ release: 'data-science', namespace: 'data-science' });
  for (const { kind, metadata } of objectsOf(template)) {
    expect(`${kind}/${metadata.name}`).toContain('data-science');
    expect([undefined, 'data-science']).toContain(metadata.namespace);
  }
  expect(objectsOf(template, 'Ingress')[0].spec.rules[0].http.paths[0].backend.service.name).toBe('data-science-api-server');
});

test('custom: as many characters as the chart allows', () => {
  expect(synthAirflow({ namespace: 'a'.repeat(40) }).airflow.namespace).toHaveLength(40);
});

const DNS_LABEL = "'namespace' must be lower case letters, digits, and - inside, beginning with a letter, got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, string, string]>([
    ['is not a DNS label', 'My_Airflow', `${DNS_LABEL} 'My_Airflow'`],
    ['ends in -', 'airflow-', `${DNS_LABEL} 'airflow-'`],
    ['is empty', '', `${DNS_LABEL} ''`],
    ['is too long', 'a'.repeat(41), `'namespace' must have at most 40 characters, because the chart derives other names from it, got 41 ('${'a'.repeat(41)}')`],
    ['is a token', Token.asString({ Ref: 'Namespace' }), "'namespace' must be known at synthesis, because other names derive from it, got a token"],
  ])('fails when the namespace %s', (_name, namespace, message) => {
    expect(() => synthAirflow({ chart: chart(), namespace })).toThrow(new Error(`Data/Airflow: ${message}`));
  });
});

test.each(Object.entries(CLUSTERS))('fails when another deployment of the cluster has the namespace: %s', (_name, make) => {
  const stack = newStack();
  const cluster = make(stack);
  new AirflowOnEks(stack, 'One', { cluster });
  expect(() => new AirflowOnEks(stack, 'Two', { cluster })).toThrow(new Error(
    "Data/Two: 'namespace' must be unique per cluster, got 'airflow', which is already used by Data/One"));
  expect(() => new AirflowOnEks(stack, 'Three', { cluster, namespace: 'three' })).not.toThrow();
});

test('fails when a deployment in another stack has the namespace', () => {
  const stack = newStack();
  const cluster = importedCluster(stack);
  new AirflowOnEks(stack, 'One', { cluster });
  expect(() => new AirflowOnEks(new Stack(stack.node.root as Construct, 'Other'), 'Two', { cluster })).toThrow(new Error(
    "Other/Two: 'namespace' must be unique per cluster, got 'airflow', which is already used by Data/One"));
});

test('a deployment that is refused does not take the namespace', () => {
  const stack = newStack();
  const incomplete = eks.Cluster.fromClusterAttributes(stack, 'Cluster', { clusterName: 'prod', vpc: importedVpc(stack) });
  expect(() => new AirflowOnEks(stack, 'One', { cluster: incomplete })).toThrow();
  expect(incomplete.node.children.map(({ node }) => node.id).filter((id) => id.startsWith('AirflowNamespace'))).toEqual([]);
});

describe('two imports of one cluster', () => {
  const env = { account: '123456789012', region: 'eu-central-1' };
  const deploy = (stack: Stack) => new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack) });

  test('in environments that are not known may be two clusters', () => {
    const app = newApp();
    deploy(new Stack(app, 'One'));
    expect(() => deploy(new Stack(app, 'Two'))).not.toThrow();
  });

  test('fails when two deployments have one namespace', () => {
    const app = newApp();
    deploy(new Stack(app, 'One', { env }));
    expect(() => deploy(new Stack(app, 'Two', { env }))).toThrow(
      new Error("Two/Airflow: 'namespace' must be unique per cluster, got 'airflow', which is already used by One/Airflow"));
  });
});
