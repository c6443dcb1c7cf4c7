import * as YAML from 'yaml';
import { parse, violations } from './rendered';
import { Json } from './util';

const expected = {
  pools: [{ workload: /Deployment\/web$/, labels: { type: 'af-stateless' }, taints: [{ key: 'dedicated', value: 'airflow', effect: 'NoSchedule' }] }],
  mounts: [{ workload: /web$/, container: /^web$/, claim: 'logs', path: '/logs' }],
  forbiddenText: ['published-key'],
};

/** A correct web server. */
function good(): Record<string, Json> {
  return {
    deployment: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            serviceAccountName: 'airflow',
            nodeSelector: { type: 'af-stateless' },
            tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
            containers: [{
              name: 'web',
              image: 'apache/airflow:2.8.4',
              env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'fernet' } } }],
              ports: [{ containerPort: 8080 }],
              resources: { requests: { cpu: '250m', memory: '1Gi' }, limits: { memory: '2Gi' } },
              volumeMounts: [{ name: 'logs', mountPath: '/logs' }, { name: 'config', mountPath: '/config' }],
            }],
            volumes: [{ name: 'logs', persistentVolumeClaim: { claimName: 'logs' } }, { name: 'config', configMap: { name: 'config', items: [{ key: 'a', path: 'a' }] } }],
          },
        },
      },
    },
    account: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'airflow' } },
    claim: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'logs' } },
    config: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'config' }, data: { a: 'b' } },
    secret: { apiVersion: 'external-secrets.io/v1', kind: 'ExternalSecret', metadata: { name: 'keys' }, spec: { target: { name: 'keys', template: { data: { fernet: '{{ .a }}' } } } } },
    service: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'ClusterIP', selector: { app: 'web' }, ports: [{ port: 8080 }] } },
    budget: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } }, maxUnavailable: 1 } },
    autoscaler: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, metrics: [{ type: 'Resource', resource: { name: 'memory' } }] },
    },
    ingress: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web' },
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'web', port: { number: 8080 } } } }] } }] },
    },
  };
}

const found = (objects: Record<string, Json>) => violations(Object.values(objects).map((object) => YAML.stringify(object)).join('---\n'), expected);
const podOf = (objects: Record<string, Json>): Json => objects.deployment.spec.template.spec;
const requiredAffinity = (...types: string[]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: types.map((type) => ({ matchExpressions: [{ key: 'type', operator: 'In', values: [type] }] })),
    },
  },
});

test('correct objects have no violations', () => {
  expect(found(good())).toEqual([]);
});

test('required node affinity is as good as a node selector', () => {
  const objects = good();
  delete podOf(objects).nodeSelector;
  podOf(objects).affinity = requiredAffinity('af-stateless');
  expect(found(objects)).toEqual([]);
});

test('fails for invalid YAML and duplicate keys', () => {
  expect(() => parse('a: 1\na: 2')).toThrow('unique');
  expect(() => parse('a: [1')).toThrow();
});

test.each<[string, (objects: Record<string, Json>) => void, string]>([
  ['an API that is no longer served', ({ budget }) => { budget.apiVersion = 'policy/v1beta1'; }, 'PodDisruptionBudget/web: Kubernetes 1.34 does not serve policy/v1beta1'],
  ['an object that is created twice', (objects) => { objects.again = objects.claim; }, 'PersistentVolumeClaim/logs: is created twice'],
  ['a hook after the installation', (objects) => {
    objects.job = { ...objects.deployment, apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'jobs-web', annotations: { 'helm.sh/hook': 'post-install,post-upgrade' } } };
  }, 'Job/jobs-web: is a hook, for which helm waits only five minutes'],
  ['a workload without a node pool', ({ deployment }) => { deployment.metadata.name = 'other'; }, 'Deployment/other: belongs to no node pool'],
  ['no toleration', (objects) => { podOf(objects).tolerations = []; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['a toleration of another effect', (objects) => { podOf(objects).tolerations[0].effect = 'NoExecute'; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['a toleration of another value', (objects) => { podOf(objects).tolerations[0].value = 'spark'; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['no node selector', (objects) => { delete podOf(objects).nodeSelector; }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['another node pool', (objects) => { podOf(objects).nodeSelector.type = 'af-db'; }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['affinity that contradicts the node selector', (objects) => { podOf(objects).affinity = requiredAffinity('af-db'); }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['an alternative to the node pool', (objects) => {
    delete podOf(objects).nodeSelector;
    podOf(objects).affinity = requiredAffinity('af-stateless', 'af-db');
  }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['preferred affinity only', (objects) => {
    delete podOf(objects).nodeSelector;
    podOf(objects).affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'type', operator: 'In', values: ['af-stateless'] }] } }] } };
  }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['a pod that only Cluster Autoscaler does not evict', ({ deployment }) => {
    deployment.spec.template.metadata.annotations = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' };
  }, 'Deployment/web: lacks the annotation karpenter.sh/do-not-disrupt: true'],
  ['a pod that only Karpenter does not evict', ({ deployment }) => {
    deployment.spec.template.metadata.annotations = { 'karpenter.sh/do-not-disrupt': 'true' };
  }, 'Deployment/web: lacks the annotation cluster-autoscaler.kubernetes.io/safe-to-evict: false'],
  ['an image that is no longer published', (objects) => { podOf(objects).containers[0].image = 'bitnami/redis:6.2.14'; }, 'Deployment/web: web: image docker.io/bitnami/redis:6.2.14 is no longer published'],
  ['an image without a tag', (objects) => { podOf(objects).containers[0].image = 'localhost:5000/redis'; }, 'Deployment/web: web: image localhost:5000/redis has no tag that identifies one version'],
  ['the latest image, in an init container', (objects) => { podOf(objects).initContainers = [{ name: 'init', image: 'redis:latest' }]; }, 'Deployment/web: init: image docker.io/library/redis:latest has no tag that identifies one version'],
  ['a variable twice', (objects) => { podOf(objects).containers[0].env.push({ name: 'KEY', value: 'a' }); }, "Deployment/web: web: variable 'KEY' occurs twice"],
  ['a mount path twice', (objects) => { podOf(objects).containers[0].volumeMounts.push({ name: 'config', mountPath: '/logs' }); }, "Deployment/web: web: mount path '/logs' occurs twice"],
  ['a port twice', (objects) => { podOf(objects).containers[0].ports.push({ containerPort: 8080, protocol: 'TCP' }); }, "Deployment/web: web: port '8080/TCP' occurs twice"],
  ['a volume twice', (objects) => { podOf(objects).volumes.push({ name: 'logs', emptyDir: {} }); }, "Deployment/web: volume 'logs' occurs twice"],
  ['a mount of an undefined volume', (objects) => { podOf(objects).containers[0].volumeMounts.push({ name: 'dags', mountPath: '/dags' }); }, "Deployment/web: web: mounts 'dags', which is not defined"],
  ['another claim', (objects) => { podOf(objects).volumes[0].persistentVolumeClaim.claimName = 'data'; }, 'Deployment/web: web: does not mount claim logs at /logs'],
  ['the claim at another path', (objects) => { podOf(objects).containers[0].volumeMounts[0].mountPath = '/var/log'; }, 'Deployment/web: web: does not mount claim logs at /logs'],
  ['no container that mounts the claim', (objects) => { podOf(objects).containers[0].name = 'server'; }, 'no container matches /web$/ /^web$/'],
  ['a Secret that does not exist', ({ secret }) => { secret.spec.target.name = 'other'; }, "Deployment/web: refers to Secret/keys key 'fernet', which does not exist"],
  ['a key that does not exist', ({ secret }) => { secret.spec.target.template.data = { other: '' }; }, "Deployment/web: refers to Secret/keys key 'fernet', which does not exist"],
  ['a ConfigMap without the key', ({ config }) => { config.data = {}; }, "Deployment/web: refers to ConfigMap/config key 'a', which does not exist"],
  ['a ConfigMap without the file', (objects) => {
    delete podOf(objects).volumes[1].configMap.items;
    podOf(objects).containers[0].volumeMounts[1].subPath = 'b';
  }, "Deployment/web: refers to ConfigMap/config key 'b', which does not exist"],
  ['a claim that does not exist', (objects) => { delete objects.claim; }, 'Deployment/web: refers to PersistentVolumeClaim/logs, which does not exist'],
  ['a service account that does not exist', (objects) => { delete objects.account; }, 'Deployment/web: refers to ServiceAccount/airflow, which does not exist'],
  ['a published key', ({ config }) => { config.data.b = 'x published-key'; }, "ConfigMap/config: contains the secret 'publ...'"],
  ['a published key in base64', (objects) => {
    objects.plain = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain' }, data: { a: Buffer.from('published-key').toString('base64') } };
  }, "Secret/plain: contains the secret 'publ...'"],
  ['a well-known password', (objects) => {
    objects.plain = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain' }, stringData: { 'redis-password': 'airflow' } };
  }, "Secret/plain: contains a well-known password as 'redis-password'"],
  ['a dynamic reference', ({ config }) => { config.data.b = '{{resolve:secretsmanager:a}}'; }, 'ConfigMap/config: contains a dynamic reference, which is not resolved here'],
  ['a private key', ({ config }) => { config.data.b = `${'-----BEGIN'} RSA PRIVATE KEY-----`; }, 'ConfigMap/config: contains a private key'],
  ['a Service without pods', ({ service }) => { service.spec.selector = { app: 'webserver' }; }, 'Service/web: selects no pod'],
  ['a disruption budget without pods', ({ budget }) => { budget.spec.selector.matchLabels = {}; }, 'PodDisruptionBudget/web: selects no pod'],
  ['a disruption budget without a bound', ({ budget }) => { delete budget.spec.maxUnavailable; }, 'PodDisruptionBudget/web: must have one of minAvailable and maxUnavailable'],
  ['a workload that does not select its own pods', ({ deployment }) => { deployment.spec.selector.matchLabels.tier = 'a'; }, 'Deployment/web: does not select its own pods'],
  ['an autoscaler that reads no variable of its target', ({ autoscaler }) => {
    Object.assign(autoscaler, { apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' });
    autoscaler.spec.scaleTargetRef.envSourceContainerName = 'web';
    autoscaler.spec.triggers = [{ metadata: { connectionFromEnv: 'KEY' } }, { metadata: { connectionFromEnv: 'OTHER' } }];
  }, 'ScaledObject/web: reads OTHER, which is no variable of Deployment/web'],
  ['an autoscaler without a target', ({ autoscaler }) => { autoscaler.spec.scaleTargetRef.name = 'worker'; }, 'HorizontalPodAutoscaler/web: scales Deployment/worker, which does not exist'],
  ['an autoscaler whose target requests nothing', (objects) => { delete podOf(objects).containers[0].resources; }, 'Deployment/web: web: requests no memory, by which HorizontalPodAutoscaler/web scales'],
  ['no resources, in an init container', (objects) => { podOf(objects).initContainers = [{ name: 'init', image: 'redis:8' }]; }, 'Deployment/web: init: requests no cpu'],
  ['a limit without a request', (objects) => { delete podOf(objects).containers[0].resources.requests.memory; }, 'Deployment/web: web: requests no memory'],
  ['no memory limit', (objects) => { delete podOf(objects).containers[0].resources.limits; }, 'Deployment/web: web: has no memory limit'],
  ['a CPU limit', (objects) => { podOf(objects).containers[0].resources.limits.cpu = '1'; }, 'Deployment/web: web: has a CPU limit'],
  ['two disruption budgets for one pod', (objects) => {
    objects.other = { ...objects.budget, metadata: { name: 'other' }, spec: { selector: { matchLabels: {} }, minAvailable: 1 } };
  }, 'Deployment/web: is selected by PodDisruptionBudget/web and PodDisruptionBudget/other'],
  ['two autoscalers for one pod', (objects) => {
    objects.other = { ...objects.autoscaler, apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject' };
  }, 'Deployment/web: is selected by HorizontalPodAutoscaler/web and ScaledObject/web'],
  ['two owners of replicas', ({ deployment }) => { deployment.spec.replicas = 2; }, 'Deployment/web: has replicas, which HorizontalPodAutoscaler/web owns'],
  ['an Ingress to a port that does not exist', ({ service }) => { service.spec.ports[0].port = 80; }, 'Ingress/web: routes to port 8080 of Service/web, which does not exist'],
  ['an Ingress to nodes without a node port', ({ ingress }) => {
    ingress.metadata.annotations = { 'alb.ingress.kubernetes.io/target-type': 'instance' };
  }, 'Ingress/web: routes to nodes, but Service/web has no node port'],
])('finds a violation: %s', (_name, breakIt, violation) => {
  const objects = structuredClone(good());
  breakIt(objects);
  expect(found(objects)).toContain(violation);
});

test('finds violations of a pod template in a ConfigMap', () => {
  const objects = good();
  objects.template = {
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'template' }, data: { 'pod.yaml': YAML.stringify({ kind: 'Pod', spec: { containers: [{ name: 'base', image: 'a:1', resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { memory: '1Gi' } } }] } }) },
  };
  expect(found(objects)).toEqual(['PodTemplate/template/pod.yaml: belongs to no node pool']);
});
