import { execFileSync } from 'child_process';
import { cpSync, readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { TaintEffect } from 'aws-cdk-lib/aws-eks';
import { CronJob } from 'kubernetes-models/batch/v1/CronJob';
import * as YAML from 'yaml';
import { ODD } from './chart/official/util';
import { inContainer } from './chart/templates';
import { pairwise, propsOf } from './data-plane';
import { Case, casesOf, poolsOf } from './matrix';
import { readmeExamples, runExample } from './readme';
import { parse, violations } from './rendered';
import { Expectations, nameOf, NodePool, Pod, podsOf, replicasOf, requestsOf, runsOn } from './rendered-pods';
import {
  CHARTS, CHARTS_UNDER_TEST, ChartUnderTest, HELMS, Json, newStack, NO_ASSETS, objectsOf, releasesOf, render, resourcesOf, synthAirflow,
  temporaryFolder, TWO_DEPLOYMENTS,
} from './util';
import { AirflowChart, AirflowExecutor, AirflowOnEks, AirflowRole, EfsCsiDriverInstallation, NodePlacement, WorkerAutoscaling } from '../src';
import { ON_EACH_NODE } from '../src/nodes/node-pool-fit';

const EFS_CSI_DRIVER = 'aws-efs-csi-driver-4.4.1';
const EFS_CSI_DRIVER_PODS = /^(Deployment\/efs-csi-controller|DaemonSet\/efs-csi-node)$/;
const EXTERNAL_SECRETS = 'external-secrets-2.9.0';
const KEDA = 'keda-2.20.2';

/** Shows that the tests were skipped, in the output and in the report. */
function skipped(): void {
  const message = 'NO CHART WAS RENDERED: set AIRFLOW_CHARTS to a folder of unpacked charts, named <chart>-<version>';
  console.warn(`${'!'.repeat(message.length)}\n${message}\n${'!'.repeat(message.length)}`);
  test.skip(message, () => undefined);
}

/** The keys in the values of a chart, which are public. */
function publishedKeys(folder: string): string[] {
  const keys: string[] = [];
  YAML.visit(YAML.parseDocument(readFileSync(join(CHARTS!, folder, 'values.yaml'), 'utf8')), {
    Pair: (_, { key, value }) => {
      const text = YAML.isScalar(value) && String(value.value);
      // Names of keys are made of these characters; keys themselves rarely are.
      if (text && /(key|password|secret)$/i.test(String(key)) && /[^\w.-]/.test(text)) {
        keys.push(text);
      }
    },
  });
  return keys;
}

/** The effects of taints, in the words of Kubernetes. */
const EFFECTS: Record<TaintEffect, string> = { NO_SCHEDULE: 'NoSchedule', PREFER_NO_SCHEDULE: 'PreferNoSchedule', NO_EXECUTE: 'NoExecute' };

/** A node pool with the taints of a placement. The nodes may have any value and any effect that the placement does not specify. */
function nodePool(workload: RegExp, { labels, taints = [] }: NodePlacement): NodePool {
  return {
    workload,
    labels,
    taints: taints.map(({ key, value = 'any', effect = TaintEffect.NO_EXECUTE }) => ({ key: key!, value, effect: EFFECTS[effect] })),
  };
}

function expectations(
  chart: ChartUnderTest, release: string,
  { placement = poolsOf(release), existingSecrets, existingClaims, logsInBucket, databaseClaim, databaseOutside, gpu }: Partial<Case> = {},
): Expectations {
  const workloads = !databaseOutside ? chart.workloads : {
    ...chart.workloads, stateless: new RegExp(`${chart.workloads.stateless.source}|^Deployment/\\S+-pgbouncer$`), database: /^StatefulSet\/\S+-valkey$/,
  };
  return {
    pools: [
      ...gpu ? [nodePool(/-worker-gpu$/, gpu)] : [],
      ...(['stateless', 'workers', 'database'] as const).map((name) => nodePool(workloads[name], placement[name])),
    ],
    notEvicted: chart.workloads.workers,
    mounts: [
      ...logsInBucket ? [] : [{ ...chart.logs, claim: `${release}-logs` }],
      ...databaseOutside ? [] : [{ ...chart.database, claim: databaseClaim ?? `data-${release}-postgresql` }],
    ],
    forbiddenText: publishedKeys(chart.folder),
    absentKeys: chart.absentKeys?.(release),
    existingSecrets,
    existingClaims,
  };
}

/** The template of an example, synthesized as users do it, but without the CLI. */
function synthExample(name: string, stack: string): Json {
  const outdir = temporaryFolder();
  execFileSync(process.execPath, [
    '-r', 'ts-node/register/transpile-only', '-r', 'tsconfig-paths/register', `examples/${name}/typescript/app.ts`,
  ], { env: { ...process.env, CDK_OUTDIR: outdir, CDK_VALIDATION: 'false', TS_NODE_PROJECT: 'tsconfig.dev.json', CDK_CONTEXT_JSON: JSON.stringify(NO_ASSETS) }, stdio: 'pipe', cwd: join(__dirname, '..') });
  return JSON.parse(readFileSync(join(outdir, `${stack}.template.json`), 'utf8'));
}

/** A copy of a chart from Git, which lacks the archives of its dependencies. The library disables all of them. */
function withoutDependencies(folder: string): string {
  const copy = join(temporaryFolder(), folder);
  cpSync(join(CHARTS!, folder), copy, { recursive: true });
  const file = join(copy, 'Chart.yaml');
  const chart = YAML.parseDocument(readFileSync(file, 'utf8'));
  chart.delete('dependencies');
  writeFileSync(file, chart.toString());
  return copy;
}

/**
 * The Deployments and StatefulSets of a rendered release for which a deployment must wait: all but those that no other part of Airflow needs, and
 * that recover by themselves. These are the exporter of metrics, and the Deployments with which the community chart applies users and the like:
 * they have no readiness probe, and try again until the database contains what is listed.
 */
function workloadsOf(rendered: string): string[] {
  return parse(rendered).filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind)).map(nameOf)
    .filter((name) => !/^Deployment\/\S+-(statsd|sync-\w+)$/.test(name)).sort();
}

/** The workloads for which a deployment waits. */
function awaitedWorkloadsOf(template: Template): string[] {
  const kinds: Record<string, string> = { deployment: 'Deployment', statefulset: 'StatefulSet' };
  return resourcesOf(template, 'Custom::AWSCDK-EKS-KubernetesObjectValue').filter(({ ObjectType }) => ObjectType in kinds)
    .map(({ ObjectType, ObjectName }) => `${kinds[ObjectType]}/${ObjectName.split('=').pop()}`).sort();
}

type Counted = [requests: [cpu: number, memory: number], replicas: [number, number]];

const sorted = (pods: Counted[]) => pods.map((pod) => JSON.stringify(pod)).sort();

/** The pods that the library counts on the nodes that it creates. */
function countedPodsOf(airflow: AirflowOnEks): [pool: Json, pods: string[]][] {
  return airflow.node.metadata.filter(({ type }) => type === 'airflow-on-eks:node-pool').map(({ data }) =>
    [data, sorted(data.pods.map(({ cpu, memory, replicas, maxReplicas }: Json) => [[cpu, memory], [replicas, maxReplicas]]))]);
}

/** The pods that run on nodes with these labels, in the objects that a cluster is given. */
function renderedPodsOf(rendered: string, labels: Record<string, string>): string[] {
  const objects = parse(rendered);
  const { taints } = nodePool(/^/, poolsOf('airflow').stateless);
  return sorted(podsOf(objects).filter((pod) => runsOn(pod, { labels, taints })).map((pod) => [requestsOf(pod), replicasOf(objects, pod)]));
}

const requesting = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } });
const tool = (name: string, cpu: string, memory: string) => ({ name, image: 'registry.example.com/tool:1', ...requesting(cpu, memory) });

/** Values with which users add containers, and pods. */
const VALUES_OF_USERS: [chart: string, executor: AirflowExecutor, helmValues: Json][] = [
  ['official', AirflowExecutor.CELERY_KUBERNETES, {
    workers: {
      celery: {
        kerberosSidecar: { enabled: true, ...requesting('20m', '40Mi') },
        extraInitContainers: [tool('large', '4', '4Gi'), { ...tool('sidecar', '30m', '50Mi'), restartPolicy: 'Always' }],
      },
      kubernetes: { ...requesting('250m', '300Mi'), extraContainers: [tool('proxy', '10m', '32Mi')] },
    },
    kerberos: { enabled: true },
    scheduler: { logGroomerSidecar: { enabled: true, ...requesting('15m', '33Mi') } },
    apiServer: { extraInitContainers: [tool('large', '1', '64Mi')] },
    dags: { gitSync: requesting('60m', '2Gi') },
    cleanup: { enabled: true },
    statsd: requesting('1m', '1Mi'),
  }],
  ['official', AirflowExecutor.LOCAL, { triggerer: { enabled: false }, statsd: { enabled: false }, dags: { gitSync: requesting('60m', '80Mi') } }],
  ['community', AirflowExecutor.CELERY_KUBERNETES, {
    airflow: {
      extraContainers: [tool('proxy', '10m', '32Mi')],
      extraInitContainers: [tool('large', '500m', '700Mi')],
      kubernetesPodTemplate: { ...requesting('250m', '300Mi'), extraContainers: [tool('proxy', '10m', '32Mi')] },
      sync: requesting('60m', '100Mi'),
    },
    workers: { extraInitContainers: [tool('larger', '2', '1Gi')] },
    flower: { replicas: 2, ...requesting('70m', '170Mi') },
    triggerer: { enabled: false },
    dags: { gitSync: requesting('60m', '80Mi') },
  }],
];

/** The values with a value at a path. */
const valuesWith = (path: string, value: unknown): Json => path.split('.').reduceRight<any>((inner, key) => ({ [key]: inner }), value);

/** The object of a rendered release with a name. */
const objectOf = (rendered: string, name: string): Json => parse(rendered).find((object) => nameOf(object) === name)!;

/** The nodes of the group `gpu` in an example of the README. */
const README_GPU_NODES: NodePlacement = {
  labels: { role: 'airflow', pool: 'gpu' }, taints: [{ key: 'dedicated', value: 'airflow', effect: TaintEffect.NO_SCHEDULE }],
};

jest.setTimeout(120_000);

/** Parts that users may switch off. */
const SWITCHES = ['triggerer', 'flower'];

describe('the real charts', () => {
  if (!CHARTS) {
    return skipped();
  }

  describe.each(CHARTS_UNDER_TEST)('the $name chart', ({ chart, folder }) => {
    test.each(SWITCHES)('without %s, a deployment waits for all other workloads', (part) => {
      const { template } = synthAirflow({ chart: chart(), helmValues: valuesWith(`${part}.enabled`, false) });
      const workloads = workloadsOf(render(HELMS['Helm 4.2'](), folder, template));
      expect(workloads.length).toBeLessThan(awaitedWorkloadsOf(synthAirflow({ chart: chart() }).template).length);
      expect(awaitedWorkloadsOf(template)).toEqual(workloads);
    });
  });

  test.each(pairwise().map((combination) => [combination.name, combination] as const))('the data plane: %s', (_name, combination) => {
    const { chart, executor, database, logs } = combination;
    const { template, airflow } = synthAirflow((stack) => propsOf(combination, stack));
    const rendered = render(HELMS['Helm 4.2'](), chart.folder, template);
    const pools = poolsOf(airflow.namespace);
    expect(violations(rendered, expectations(chart, airflow.namespace, {
      databaseOutside: database !== 'in the cluster',
      logsInBucket: logs === 'a bucket',
      placement: executor === AirflowExecutor.LOCAL ? { ...pools, workers: pools.stateless } : pools,
    }))).toEqual([]);
    expect(awaitedWorkloadsOf(template)).toEqual(workloadsOf(rendered));
  });

  describe.each(Object.entries(TWO_DEPLOYMENTS))('two deployments of one cluster %s', (_where, synth) => {
    test.each(CHARTS_UNDER_TEST)('the $name chart: each pod runs on the nodes of its own deployment, and the driver on all', (chart) => {
      const deployments = synth({ chart: chart.chart(), executor: AirflowExecutor.CELERY_KUBERNETES });
      const groups = deployments.flatMap(({ template }) => resourcesOf(template, 'AWS::EKS::Nodegroup'));
      const nodes = [...new Map(groups.map(({ Labels, Taints }) => [`${Labels['airflow-deployment']} ${Labels.type}`, {
        labels: Labels, taints: Taints.map(({ Key, Value, Effect }: Json) => ({ key: Key, value: Value, effect: EFFECTS[Effect as TaintEffect] })),
      }]))];
      expect(nodes).toHaveLength(6);
      const nodesOf = (pod: Pod) => nodes.filter(([, node]) => runsOn(pod, node)).map(([name]) => name);
      for (const { namespace, template } of deployments) {
        const pods = podsOf(parse(render(HELMS['Helm 4.2'](), chart.folder, template, 'airflow', namespace)));
        const types = { stateless: 'af-stateless', workers: 'af-stateful', database: 'af-db' };
        const expected = (workload: string) => Object.entries(types).filter(([name]) => chart.workloads[name as keyof typeof types].test(workload));
        expect(pods.map((pod) => [pod.workload, nodesOf(pod)])).toEqual(pods.map(({ workload }) => [workload, expected(workload).map(([, type]) => `${namespace} ${type}`)]));
      }
      const driver = podsOf(parse(render(HELMS['Helm 4.2'](), EFS_CSI_DRIVER, synthAirflow().template, 'aws-efs-csi-driver')));
      expect(driver.map(nodesOf)).toEqual(driver.map(() => nodes.map(([name]) => name)));
    });
  });

  test.each(VALUES_OF_USERS)('the pods in the values of a user are counted: %s', (chartName, executor, helmValues) => {
    const chart = CHARTS_UNDER_TEST.find(({ name }) => name === chartName)!;
    const { template, airflow } = synthAirflow({ chart: chart.chart(), executor, helmValues, gitSync: { repository: 'https://github.com/example/dags.git' } });
    const rendered = render(HELMS['Helm 4.2'](), chart.folder, template);
    const counted = countedPodsOf(airflow);
    expect(counted).toEqual(counted.map(([pool]) => [pool, renderedPodsOf(rendered, pool.labels)]));
  });

  test('the pods of the EFS CSI driver request what is kept free on each node for it, besides kube-proxy and the VPC CNI plugin', () => {
    const pods = podsOf(parse(render(HELMS['Helm 4.2'](), EFS_CSI_DRIVER, synthAirflow().template, 'aws-efs-csi-driver')));
    const [cpu, memory] = [0, 1].map((index) => pods.map((pod) => requestsOf(pod)[index]).reduce((sum, request) => sum + request));
    expect(pods.map(({ workload }) => workload).sort()).toEqual(['DaemonSet/efs-csi-node', 'Deployment/efs-csi-controller']);
    expect(ON_EACH_NODE).toEqual({ cpu: cpu + 100 + 50, memory, pods: pods.length + 3 });
  });

  describe.each(Object.entries(HELMS))('under %s', (_helm, helm) => {
    describe.each(CHARTS_UNDER_TEST)('the $name chart', (chart) => {
      test.each(casesOf(chart))('%s', (name, { props, withoutOperator = false, ...expected }) => {
        const { template, airflow } = synthAirflow((stack) => ({ chart: chart.chart(), ...props(stack) }));
        const rendered = render(helm(), chart.folder, template);
        expect(violations(rendered, expectations(chart, airflow.namespace, expected))).toEqual([]);
        expect(render(helm(), chart.folder, template)).toBe(rendered); // a chart that generates keys generates new ones with each upgrade
        expect(objectsOf(template, 'ExternalSecret').length === 0).toBe(withoutOperator);
        expect(awaitedWorkloadsOf(template)).toEqual(workloadsOf(rendered));
        const counted = countedPodsOf(airflow);
        for (const [pool, pods] of counted) {
          expect([pool.prop, pods]).toEqual([pool.prop, renderedPodsOf(rendered, pool.labels)]);
        }
        expect(counted.flatMap(([, pods]) => pods)).toHaveLength(airflow.nodePools.stateless || /Karpenter|Auto Mode/.test(name) ? podsOf(parse(rendered)).length - (expected.gpu ? 1 : 0) : 0);
      });

      test('a CronJob deletes old records of the database, in a container like those of Airflow', () => {
        const { template } = synthAirflow({ chart: chart.chart(), environment: { STAGE: 'dev' }, databaseCleanup: { retention: Duration.days(30) } });
        const rendered = render(helm(), chart.folder, template);
        const cronJob = objectOf(rendered, 'CronJob/airflow-database-cleanup');
        new CronJob(cronJob).validate(); // throws for what Kubernetes would refuse
        const { spec } = cronJob.spec.jobTemplate.spec.template;
        const [container, ...others] = spec.containers;
        expect(others).toEqual([]);
        const script = [container.args].flat().join(' ');
        expect(script).toMatch(/\$\(date -d ['"]-30 days['"] \+/);
        expect(script).toMatch(/airflow db clean --clean-before-timestamp .*--skip-archive.*/s);
        expect(script).toContain('--yes');
        const scheduler = objectOf(rendered, 'Deployment/airflow-scheduler').spec.template.spec;
        const [main] = scheduler.containers.filter(({ name }: Json) => name.endsWith('scheduler'));
        expect(container.image).toBe(main.image);
        expect(container.env).toEqual(expect.arrayContaining(main.env.filter(({ name }: Json) => /^(STAGE|AIRFLOW__(CORE|DATABASE)__.*)$/.test(name))));
        expect(container.env.map(({ name }: Json) => name)).toEqual(expect.arrayContaining(['STAGE', 'AIRFLOW__CORE__FERNET_KEY']));
        expect(container.envFrom ?? []).toEqual(main.envFrom ?? []);
        expect(spec.serviceAccountName).toBe(scheduler.serviceAccountName);
        expect(cronJob.spec.concurrencyPolicy).toBe('Forbid');
      });
    });

    test.each(['3.3.2', '2.11.2'])('the program that applies users and pools arrives unchanged, with its lists: Airflow %s', (airflowVersion) => {
      const role = AirflowRole.of(ODD);
      const { template } = synthAirflow({
        chart: AirflowChart.official({ airflowVersion }),
        users: [{ username: 'joe', email: 'joe@example.com', role, firstName: ODD }],
        pools: [{ name: ODD, slots: 3 }],
      });
      const { containers } = objectOf(render(helm(), 'airflow-official-1.22.0', template), 'Deployment/airflow-dag-processor').spec.template.spec;
      const { args, env } = containers.find(({ name }: Json) => name === 'users-and-pools');
      const variables = Object.fromEntries(env.map(({ name, value }: Json) => [name, value ?? '']));
      const received = (text: string) => inContainer(text, { HOME: '/home/airflow', PATH: '/bin', ...variables });
      expect(args.map(received)).toEqual(['python', '-c', readFileSync('src/assets/users_and_pools.py', 'utf8'), '/tmp/done']);
      expect(JSON.parse(received(variables.AIRFLOW_ON_EKS_USERS))).toEqual([{
        username: 'joe', email: 'joe@example.com', role: ODD, firstName: ODD, lastName: 'joe', passwordVariable: 'AIRFLOW_ON_EKS_PASSWORD_0',
      }]);
      expect(JSON.parse(received(variables.AIRFLOW_ON_EKS_POOLS))).toEqual([{ name: ODD, slots: 3 }]);
    });

    test('the published keys of the community chart are found', () => {
      expect(publishedKeys('airflow-community-8.9.0')).toHaveLength(2);
    });

    test.each(readmeExamples())('the example of the README with %s', (_name, code) => {
      const stack = newStack();
      runExample(code, stack);
      const template = Template.fromStack(stack);
      const { release } = releasesOf(template).find((found) => found.chart === 'airflow')!;
      const { nodePools, fileSystem } = stack.node.findAll().find((construct): construct is AirflowOnEks => construct instanceof AirflowOnEks)!;
      const elsewhere = fileSystem ? {} : { logsInBucket: true, databaseClaim: `data-${release}-postgresql-0` };
      const expected = expectations(CHARTS_UNDER_TEST[0], release, { placement: nodePools.placement, existingSecrets: { people: ['bob'] }, gpu: README_GPU_NODES, ...elsewhere });
      expect(violations(render(helm(), CHARTS_UNDER_TEST[0].folder, template), expected)).toEqual([]);
    });

    test.each<[string, string, Partial<Case>]>([
      ['blog', 'AirflowBlog', {}],
      ['quickstart', 'AirflowQuickstart', {}],
      ['auto-mode', 'AirflowAutoMode', {}],
      ['production', 'AirflowProduction', { databaseOutside: true, logsInBucket: true }],
    ])('the example %s', (name, stack, expected) => {
      const template = synthExample(name, stack);
      const { version, release } = releasesOf(template).find((found) => found.chart === 'airflow')!;
      const chart = CHARTS_UNDER_TEST.find(({ folder }) => folder.endsWith(`-${version}`))!;
      expect(violations(render(helm(), chart.folder, template), expectations(chart, release, expected))).toEqual([]);
    });

    const { taints } = poolsOf('airflow').stateless;

    test('the EFS CSI driver runs only on the nodes of Airflow', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [nodePool(EFS_CSI_DRIVER_PODS, { labels: { role: 'airflow' }, taints })],
      })).toEqual([]);
    });

    test('the EFS CSI driver runs on all nodes', () => {
      const { template } = synthAirflow({ efsCsiDriver: EfsCsiDriverInstallation.onAllNodes() });
      expect(violations(render(helm(), EFS_CSI_DRIVER, template, 'aws-efs-csi-driver'), {
        pools: [nodePool(EFS_CSI_DRIVER_PODS, { labels: {}, taints: [...taints!, { key: 'any', effect: TaintEffect.NO_EXECUTE }] })],
      })).toEqual([]);
    });

    test('the External Secrets operator runs on any node, also on those of Airflow', () => {
      const { template } = synthAirflow();
      expect(violations(render(helm(), withoutDependencies(EXTERNAL_SECRETS), template, 'external-secrets'), {
        pools: [nodePool(/^Deployment\/external-secrets$/, { labels: {}, taints })],
      })).toEqual([]);
    });

    test('KEDA runs on any node, also on those of Airflow, and keeps its definitions', () => {
      const rendered = render(helm(), KEDA, synthAirflow({ workers: { autoscaling: WorkerAutoscaling.onQueuedTasks({ maxReplicas: 4 }) } }).template, 'keda');
      expect(violations(rendered, {
        pools: [nodePool(/^Deployment\/keda-operator(-metrics-apiserver)?$/, { labels: {}, taints })],
        existingSecrets: { 'kedaorg-certs': [] }, // the operator creates it
      })).toEqual([]);
      const definitions = parse(rendered).filter(({ kind }) => kind === 'CustomResourceDefinition');
      expect(definitions.map(({ metadata }) => metadata.annotations['helm.sh/resource-policy'])).toEqual(definitions.map(() => 'keep'));
      expect(definitions.map(nameOf)).toContain('CustomResourceDefinition/scaledobjects.keda.sh');
    });
  });
});
