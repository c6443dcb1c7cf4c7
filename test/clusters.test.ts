import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as eks from 'aws-cdk-lib/aws-eks';
import { ACCOUNT, CLUSTERS, REGION, releasesOf, valuesOf, newApp } from './util';
import { AirflowOnEks } from '../src';

const env = { account: ACCOUNT, region: REGION };

describe.each(Object.entries(CLUSTERS))('%s', (_name, cluster) => {
  test('in one stack with its Airflow', () => {
    const stack = new Stack(newApp(), 'Data', { env });
    new AirflowOnEks(stack, 'Airflow', { cluster: cluster(stack) });
    expect(valuesOf(Template.fromStack(stack)).airflow.executor).toBe('CeleryExecutor');
  });

  test('in another stack than its Airflow', () => {
    const app = newApp();
    const platform = new Stack(app, 'Platform', { env });
    const data = new Stack(app, 'Data', { env });
    new AirflowOnEks(data, 'Airflow', { cluster: cluster(platform) });
    app.synth();
    expect(releasesOf(Template.fromStack(data)).map(({ chart }) => chart)).toEqual(['airflow']);
    expect(releasesOf(Template.fromStack(platform)).map(({ chart }) => chart).sort()).toEqual(['aws-efs-csi-driver', 'external-secrets']);
    expect(platform.dependencies).toEqual([]);
  });

  test('with two Airflows, in two stacks', () => {
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

test.each([eks.AuthenticationMode.API, eks.AuthenticationMode.API_AND_CONFIG_MAP])('an aws-eks cluster with authentication mode %s lets nodes of another stack in', (authenticationMode) => {
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

test('an aws-eks cluster that admits nodes by its aws-auth ConfigMap takes them in its own stack, and from none other', () => {
  const app = newApp();
  const platform = new Stack(app, 'Platform', { env });
  const cluster = new eks.Cluster(platform, 'Cluster', {
    version: eks.KubernetesVersion.V1_33, defaultCapacity: 0, kubectlLayer: new KubectlV29Layer(platform, 'Kubectl'),
  });
  const data = new Stack(app, 'Data', { env });
  expect(() => new AirflowOnEks(data, 'Airflow', { cluster })).toThrow(
    "Data/Airflow: 'cluster' of another stack admits nodes by its aws-auth ConfigMap, which only its own stack can write;"
    + " create it with 'authenticationMode' API or API_AND_CONFIG_MAP, or put Airflow in the cluster's stack");
  const airflow = new AirflowOnEks(platform, 'Airflow', { cluster });
  const role = platform.resolve(airflow.nodePools!.role.roleArn)['Fn::GetAtt'][0];
  const [mapping] = Object.values(Template.fromStack(platform).findResources('Custom::AWSCDK-EKS-KubernetesResource'))
    .map((resource) => JSON.stringify(resource.Properties.Manifest)).filter((manifest) => manifest.includes('aws-auth'));
  expect(mapping).toContain(role);
});
