import * as YAML from 'yaml';
import { parse, violations } from './rendered';
import { Json } from './util';

const expected = {
  pools: [[/Deployment\/web$/, { type: 'af-stateless' }]] as [RegExp, Record<string, string>][],
  taints: [{ key: 'dedicated', value: 'airflow', effect: 'NoSchedule' }],
  mounts: [{ workload: /web$/, container: /^web$/, claim: 'logs', path: '/logs' }],
  forbiddenText: ['published-key'],
};

/** A web server as it should be. */
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
              resources: { requests: { memory: '1Gi' } },
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

test('what is right passes', () => {
  expect(found(good())).toEqual([]);
});

test('required affinity pins as a node selector does', () => {
  const objects = good();
  delete podOf(objects).nodeSelector;
  podOf(objects).affinity = requiredAffinity('af-stateless');
  expect(found(objects)).toEqual([]);
});

test('broken YAML, and keys that stand twice, are errors', () => {
  expect(() => parse('a: 1\na: 2')).toThrow('unique');
  expect(() => parse('a: [1')).toThrow();
});

test.each<[string, (objects: Record<string, Json>) => void, string]>([
  ['an API that is gone', ({ budget }) => { budget.apiVersion = 'policy/v1beta1'; }, 'PodDisruptionBudget/web: Kubernetes 1.34 does not serve policy/v1beta1'],
  ['an object that is made twice', (objects) => { objects.again = objects.claim; }, 'PersistentVolumeClaim/logs: is made twice'],
  ['a hook after the wait', (objects) => {
    objects.job = { ...objects.deployment, apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'jobs-web', annotations: { 'helm.sh/hook': 'post-install,post-upgrade' } } };
  }, 'Job/jobs-web: is a hook that runs after the wait for what waits for it'],
  ['a workload of no pool', ({ deployment }) => { deployment.metadata.name = 'other'; }, 'Deployment/other: belongs to no pool'],
  ['no toleration', (objects) => { podOf(objects).tolerations = []; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['a toleration of another effect', (objects) => { podOf(objects).tolerations[0].effect = 'NoExecute'; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['a toleration of another value', (objects) => { podOf(objects).tolerations[0].value = 'spark'; }, 'Deployment/web: does not tolerate dedicated=airflow:NoSchedule'],
  ['no pin', (objects) => { delete podOf(objects).nodeSelector; }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['another pool', (objects) => { podOf(objects).nodeSelector.type = 'af-db'; }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['a contradiction', (objects) => { podOf(objects).affinity = requiredAffinity('af-db'); }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['an alternative to the pool', (objects) => {
    delete podOf(objects).nodeSelector;
    podOf(objects).affinity = requiredAffinity('af-stateless', 'af-db');
  }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['a preference only', (objects) => {
    delete podOf(objects).nodeSelector;
    podOf(objects).affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'type', operator: 'In', values: ['af-stateless'] }] } }] } };
  }, 'Deployment/web: is not pinned to type=af-stateless'],
  ['an image that is gone', (objects) => { podOf(objects).containers[0].image = 'bitnami/redis:6.2.14'; }, 'Deployment/web: web: image docker.io/bitnami/redis:6.2.14 is gone'],
  ['an image without a tag', (objects) => { podOf(objects).containers[0].image = 'localhost:5000/redis'; }, 'Deployment/web: web: image localhost:5000/redis has no tag that stays the same image'],
  ['the latest image, in an init container', (objects) => { podOf(objects).initContainers = [{ name: 'init', image: 'redis:latest' }]; }, 'Deployment/web: init: image docker.io/library/redis:latest has no tag that stays the same image'],
  ['a variable twice', (objects) => { podOf(objects).containers[0].env.push({ name: 'KEY', value: 'a' }); }, "Deployment/web: web: variable 'KEY' stands twice"],
  ['a mount path twice', (objects) => { podOf(objects).containers[0].volumeMounts.push({ name: 'config', mountPath: '/logs' }); }, "Deployment/web: web: mount path '/logs' stands twice"],
  ['a port twice', (objects) => { podOf(objects).containers[0].ports.push({ containerPort: 8080, protocol: 'TCP' }); }, "Deployment/web: web: port '8080/TCP' stands twice"],
  ['a volume twice', (objects) => { podOf(objects).volumes.push({ name: 'logs', emptyDir: {} }); }, "Deployment/web: volume 'logs' stands twice"],
  ['a mount of nothing', (objects) => { podOf(objects).containers[0].volumeMounts.push({ name: 'dags', mountPath: '/dags' }); }, "Deployment/web: web: mounts 'dags', which is not defined"],
  ['another claim', (objects) => { podOf(objects).volumes[0].persistentVolumeClaim.claimName = 'data'; }, 'Deployment/web: web: does not mount claim logs at /logs'],
  ['the claim elsewhere', (objects) => { podOf(objects).containers[0].volumeMounts[0].mountPath = '/var/log'; }, 'Deployment/web: web: does not mount claim logs at /logs'],
  ['nothing to mount the claim', (objects) => { podOf(objects).containers[0].name = 'server'; }, 'no container is like /web$/ /^web$/'],
  ['a Secret that is not there', ({ secret }) => { secret.spec.target.name = 'other'; }, "Deployment/web: refers to Secret/keys key 'fernet', which does not exist"],
  ['a key that is not there', ({ secret }) => { secret.spec.target.template.data = { other: '' }; }, "Deployment/web: refers to Secret/keys key 'fernet', which does not exist"],
  ['a ConfigMap without the key', ({ config }) => { config.data = {}; }, "Deployment/web: refers to ConfigMap/config key 'a', which does not exist"],
  ['a ConfigMap without the file', (objects) => {
    delete podOf(objects).volumes[1].configMap.items;
    podOf(objects).containers[0].volumeMounts[1].subPath = 'b';
  }, "Deployment/web: refers to ConfigMap/config key 'b', which does not exist"],
  ['a claim that is not there', (objects) => { delete objects.claim; }, 'Deployment/web: refers to PersistentVolumeClaim/logs, which does not exist'],
  ['a service account that is not there', (objects) => { delete objects.account; }, 'Deployment/web: refers to ServiceAccount/airflow, which does not exist'],
  ['a published key', ({ config }) => { config.data.b = 'x published-key'; }, "ConfigMap/config: has the secret 'publ...'"],
  ['a published key in base64', (objects) => {
    objects.plain = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain' }, data: { a: Buffer.from('published-key').toString('base64') } };
  }, "Secret/plain: has the secret 'publ...'"],
  ['a well-known password', (objects) => {
    objects.plain = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain' }, stringData: { 'redis-password': 'airflow' } };
  }, "Secret/plain: has a well-known password as 'redis-password'"],
  ['a dynamic reference', ({ config }) => { config.data.b = '{{resolve:secretsmanager:a}}'; }, 'ConfigMap/config: has a dynamic reference, which nobody resolves here'],
  ['a private key', ({ config }) => { config.data.b = `${'-----BEGIN'} RSA PRIVATE KEY-----`; }, 'ConfigMap/config: has a private key'],
  ['a Service of nothing', ({ service }) => { service.spec.selector = { app: 'webserver' }; }, 'Service/web: selects no pod'],
  ['a budget of nothing', ({ budget }) => { budget.spec.selector.matchLabels = {}; }, 'PodDisruptionBudget/web: selects no pod'],
  ['a budget without a bound', ({ budget }) => { delete budget.spec.maxUnavailable; }, 'PodDisruptionBudget/web: must have one of minAvailable and maxUnavailable'],
  ['a workload that misses its own pods', ({ deployment }) => { deployment.spec.selector.matchLabels.tier = 'a'; }, 'Deployment/web: does not select its own pods'],
  ['an autoscaler of nothing', ({ autoscaler }) => { autoscaler.spec.scaleTargetRef.name = 'worker'; }, 'HorizontalPodAutoscaler/web: scales Deployment/worker, which does not exist'],
  ['an autoscaler with nothing to measure by', (objects) => { delete podOf(objects).containers[0].resources; }, 'Deployment/web: web: requests no memory, by which HorizontalPodAutoscaler/web scales'],
  ['two owners of replicas', ({ deployment }) => { deployment.spec.replicas = 2; }, 'Deployment/web: has replicas, which HorizontalPodAutoscaler/web owns'],
  ['an Ingress to nowhere', ({ service }) => { service.spec.ports[0].port = 80; }, 'Ingress/web: leads to port 8080 of Service/web, which does not exist'],
  ['an Ingress to nodes that do not listen', ({ ingress }) => {
    ingress.metadata.annotations = { 'alb.ingress.kubernetes.io/target-type': 'instance' };
  }, 'Ingress/web: leads to nodes, but Service/web has no port there'],
])('%s is found', (_name, breakIt, violation) => {
  const objects = structuredClone(good());
  breakIt(objects);
  expect(found(objects)).toContain(violation);
});

test('the pod in a ConfigMap is looked at too', () => {
  const objects = good();
  objects.template = {
    apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'template' }, data: { 'pod.yaml': YAML.stringify({ kind: 'Pod', spec: { containers: [{ name: 'base', image: 'a:1' }] } }) },
  };
  expect(found(objects)).toEqual(['PodTemplate/template/pod.yaml: belongs to no pool']);
});
