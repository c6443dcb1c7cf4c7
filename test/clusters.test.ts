import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as eks from 'aws-cdk-lib/aws-eks';
import { ACCOUNT, CLUSTERS, newApp, REGION, releasesOf, valuesOf } from './util';
import { AirflowOnEks } from '../src';

const env = { account: ACCOUNT, region: REGION };

describe.each(Object.entries(CLUSTERS))('%s', (_name, cluster) => {
  test('in the stack of the Airflow deployment', () => {
    const stack = new Stack(newApp(), 'Data', { env });
    new AirflowOnEks(stack, 'Airflow', { cluster: cluster(stack) });
    expect(valuesOf(Template.fromStack(stack)).executor).toBe('CeleryExecutor');
  });

  test('in another stack than the Airflow deployment', () => {
    const app = newApp();
    const platform = new Stack(app, 'Platform', { env });
    const data = new Stack(app, 'Data', { env });
    new AirflowOnEks(data, 'Airflow', { cluster: cluster(platform) });
    app.synth();
    expect(releasesOf(Template.fromStack(data)).map(({ chart }) => chart)).toEqual(['airflow']);
    expect(releasesOf(Template.fromStack(platform)).map(({ chart }) => chart).sort()).toEqual(['aws-efs-csi-driver', 'external-secrets']);
    expect(platform.dependencies).toEqual([]);
  });

  test('with two Airflow deployments in two stacks', () => {
    const app = newApp();
    const platform = new Stack(app, 'Platform', { env });
    const shared = cluster(platform);
    const [one, two] = ['One', 'Two'].map((id) => {
      const stack = new Stack(app, id, { env });
      new AirflowOnEks(stack, 'Airflow', { cluster: shared, namespace: `airflow-${id.toLowerCase()}` });
      return stack;
    });
    app.synth();
    expect(releasesOf(Template.fromStack(platform))).toHaveLength(2);
    expect(releasesOf(Template.fromStack(one)).map(({ release }) => release)).toEqual(['airflow-one']);
    expect(releasesOf(Template.fromStack(two)).map(({ release }) => release)).toEqual(['airflow-two']);
  });
});

test.each([eks.AuthenticationMode.API, eks.AuthenticationMode.API_AND_CONFIG_MAP])('an aws-eks cluster with authentication mode %s admits nodes of another stack', (authenticationMode) => {
  const app = newApp();
  const platform = new Stack(app, 'Platform', { env });
  const cluster = new eks.Cluster(platform, 'Cluster', {
    version: eks.KubernetesVersion.V1_33, defaultCapacity: 0, kubectlLayer: new KubectlV29Layer(platform, 'Kubectl'), authenticationMode,
  });
  const data = new Stack(app, 'Data', { env });
  new AirflowOnEks(data, 'Airflow', { cluster });
  app.synth();
  Template.fromStack(data).resourceCountIs('AWS::EKS::Nodegroup', 3);
});

/** An aws-eks cluster that admits nodes by its aws-auth ConfigMap. */
const configMapCluster = (scope: Stack) => new eks.Cluster(scope, 'Cluster', {
  version: eks.KubernetesVersion.V1_33, defaultCapacity: 0, kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'),
});

test('an aws-eks cluster that admits nodes by its aws-auth ConfigMap admits those of its stack', () => {
  const stack = new Stack(newApp(), 'Platform', { env });
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: configMapCluster(stack) });
  const role = stack.resolve(airflow.nodePools.role.roleArn)['Fn::GetAtt'][0];
  const [mapping] = Object.values(Template.fromStack(stack).findResources('Custom::AWSCDK-EKS-KubernetesResource'))
    .map((resource) => JSON.stringify(resource.Properties.Manifest)).filter((manifest) => manifest.includes('aws-auth'));
  expect(mapping).toContain(role);
});

test('fails when an aws-eks cluster of another stack admits nodes by its aws-auth ConfigMap', () => {
  const app = newApp();
  const platform = new Stack(app, 'Platform', { env });
  const cluster = configMapCluster(platform);
  expect(() => new AirflowOnEks(new Stack(app, 'Data', { env }), 'Airflow', { cluster })).toThrow(new Error(
    "Data/Airflow: 'cluster' is created in another stack and admits nodes by its aws-auth ConfigMap, which only that stack can change;"
    + " create it with 'authenticationMode' API or API_AND_CONFIG_MAP, or create the Airflow deployment in the stack of the cluster"));
  const airflow = new AirflowOnEks(platform, 'Airflow', { cluster }); // the failure leaves nothing that would refuse a second attempt
  expect(airflow.namespace).toBe('airflow');
});
