import * as YAML from 'yaml';
import {
  duplicates, entriesOnce, eviction, Expectations, images, list, mounts, nameOf, placement, Pod, podsOf, references, resourcesOfContainers, volumes,
} from './rendered-pods';
import { Json } from './util';

/** The APIs of Kubernetes 1.34 that the charts use, and those of the operators. */
const SERVED = new Set([
  'v1', 'apps/v1', 'batch/v1', 'autoscaling/v1', 'autoscaling/v2', 'policy/v1', 'networking.k8s.io/v1', 'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1', 'scheduling.k8s.io/v1', 'coordination.k8s.io/v1', 'apiextensions.k8s.io/v1', 'admissionregistration.k8s.io/v1',
  'external-secrets.io/v1', 'karpenter.sh/v1', 'karpenter.k8s.aws/v1', 'eks.amazonaws.com/v1', 'keda.sh/v1alpha1', 'apiregistration.k8s.io/v1',
]);

const WELL_KNOWN_PASSWORDS = ['airflow', 'admin', 'postgres', 'password', 'changeme'];

/** Parses YAML with several documents. Fails for invalid YAML and duplicate keys. */
export function parse(yaml: string): Json[] {
  return YAML.parseAllDocuments(yaml, { uniqueKeys: true, merge: true }).map((document) => {
    if (document.errors.length > 0) {
      throw document.errors[0];
    }
    return document.toJS() as Json;
  }).filter(Boolean);
}

/** Everything in rendered objects that contradicts the expectations, one line each. */
export function violations(yaml: string, expected: Expectations): string[] {
  const objects = parse(yaml);
  const pods = podsOf(objects);
  return [
    ...objects.flatMap((object) => SERVED.has(object.apiVersion) ? [] : [`${nameOf(object)}: Kubernetes 1.34 does not serve ${object.apiVersion}`]),
    ...duplicates(objects.map((object) => `${object.metadata?.namespace ?? ''} ${nameOf(object)}`)).map((name) => `${name.trim()}: is created twice`),
    ...objects.filter(({ kind, metadata }) => kind === 'Job' && /post-(install|upgrade)/.test(metadata.annotations?.['helm.sh/hook'] ?? ''))
      .map((job) => `${nameOf(job)}: is a hook, for which helm waits only five minutes`),
    ...pods.flatMap((pod) => [
      ...placement(pod, expected), ...eviction(pod, expected), ...images(pod), ...entriesOnce(pod), ...volumes(pod), ...resourcesOfContainers(pod),
    ].map((message) => `${pod.workload}: ${message}`)),
    ...mounts(pods, expected),
    ...references(objects, pods, expected),
    ...secretText(objects, expected.forbiddenText ?? []),
    ...selections(objects, pods),
    ...selectedTwice(objects, pods),
    ...autoscalers(objects),
    ...ingresses(objects),
  ];
}

function decoded(text: unknown): string {
  return Buffer.from(String(text), 'base64').toString('utf8');
}

function secretText(objects: Json[], forbidden: string[]): string[] {
  return objects.flatMap((object) => {
    const values: [string, string][] = object.kind !== 'Secret' ? [] : [
      ...Object.entries(object.data ?? {}).map(([key, value]): [string, string] => [key, decoded(value)]),
      ...Object.entries(object.stringData ?? {}).map(([key, value]): [string, string] => [key, String(value)]),
    ];
    const text = [JSON.stringify(object), ...values.map(([, value]) => value)].join('\n');
    return [
      ...forbidden.filter((secret) => text.includes(secret)).map((secret) => `contains the secret '${secret.slice(0, 4)}...'`),
      ...text.includes('{{resolve:') ? ['contains a dynamic reference, which is not resolved here'] : [],
      ...text.includes(`${'-----BEGIN'} `) && /PRIVATE KEY-----/.test(text) ? ['contains a private key'] : [],
      ...values.filter(([key, value]) => /pass|auth|secret|key|token/i.test(key) && WELL_KNOWN_PASSWORDS.includes(value.trim())).map(([key]) => `contains a well-known password as '${key}'`),
    ].map((message) => `${nameOf(object)}: ${message}`);
  });
}

const selects = (selector: Json, labels: Json) => Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Kubernetes does not evict a pod of several disruption budgets, and stops autoscalers that select the same pods. */
function selectedTwice(objects: Json[], pods: Pod[]): string[] {
  const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget').map((budget) => ({ name: nameOf(budget), selector: budget.spec.selector.matchLabels }));
  const autoscaled = objects.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind)).map((autoscaler) => {
    const { kind, name } = autoscaler.spec.scaleTargetRef;
    return { name: nameOf(autoscaler), selector: objects.find((object) => nameOf(object) === `${kind}/${name}`)?.spec.selector.matchLabels ?? { none: name } };
  });
  return pods.flatMap(({ workload, labels }) => [budgets, autoscaled].flatMap((owners) => {
    const names = owners.filter(({ selector }) => selects(selector, labels)).map(({ name }) => name);
    return names.length > 1 ? [`${workload}: is selected by ${names.join(' and ')}`] : [];
  }));
}

function selections(objects: Json[], pods: Pod[]): string[] {
  return objects.flatMap((object) => {
    const selector: Json = object.kind === 'Service' ? object.spec.selector : object.spec?.selector?.matchLabels;
    if (!['Service', 'PodDisruptionBudget'].includes(object.kind)) {
      // Kubernetes refuses a workload that does not select its own pods.
      const own = podsOf([object])[0];
      return selector && own && !selects(selector, own.labels) ? [`${nameOf(object)}: does not select its own pods`] : [];
    }
    const selected = pods.some(({ labels }) => selector && Object.keys(selector).length > 0 && selects(selector, labels));
    const bounds = object.kind === 'PodDisruptionBudget' && (object.spec.minAvailable === undefined) === (object.spec.maxUnavailable === undefined);
    return [...selected ? [] : [`${nameOf(object)}: selects no pod`], ...bounds ? [`${nameOf(object)}: must have one of minAvailable and maxUnavailable`] : []];
  });
}

function autoscalers(objects: Json[]): string[] {
  return objects.filter(({ kind }) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kind)).flatMap((autoscaler) => {
    const { scaleTargetRef: { kind, name, envSourceContainerName }, metrics } = autoscaler.spec;
    const target = objects.find((object) => nameOf(object) === `${kind}/${name}`);
    if (!target) {
      return [`${nameOf(autoscaler)}: scales ${kind}/${name}, which does not exist`];
    }
    const variables = list(target.spec.template.spec.containers).filter((container) => container.name === envSourceContainerName)
      .flatMap(({ env }) => list(env).map((variable) => variable.name));
    return [
      // Server-side apply refuses an upgrade if a field has two owners.
      ...target.spec.replicas === undefined || target.spec.replicas === null ? [] : [`${nameOf(target)}: has replicas, which ${nameOf(autoscaler)} owns`],
      ...list(autoscaler.spec.triggers).flatMap(({ metadata }) => variables.includes(metadata.connectionFromEnv) ? []
        : [`${nameOf(autoscaler)}: reads ${metadata.connectionFromEnv}, which is no variable of ${nameOf(target)}`]),
      ...list(metrics).filter(({ resource }) => resource).flatMap(({ resource }) => list(target.spec.template.spec.containers)
        .filter(({ resources }) => resources?.requests?.[resource.name] === undefined)
        .map((container) => `${nameOf(target)}: ${container.name}: requests no ${resource.name}, by which ${nameOf(autoscaler)} scales`)),
    ];
  });
}

function ingresses(objects: Json[]): string[] {
  return objects.filter(({ kind }) => kind === 'Ingress').flatMap((ingress) => list(ingress.spec.rules).flatMap(({ http }) => list(http.paths)).flatMap(({ backend }) => {
    const service = objects.find((object) => nameOf(object) === `Service/${backend.service.name}`);
    const { number, name } = backend.service.port;
    const port = list(service?.spec.ports).find((candidate) => candidate.port === number || (name !== undefined && candidate.name === name));
    const nodePort = ingress.metadata.annotations?.['alb.ingress.kubernetes.io/target-type'] === 'instance';
    return !port ? [`${nameOf(ingress)}: routes to port ${number ?? name} of Service/${backend.service.name}, which does not exist`]
      : nodePort && !['NodePort', 'LoadBalancer'].includes(service!.spec.type) ? [`${nameOf(ingress)}: routes to nodes, but Service/${backend.service.name} has no node port`] : [];
  }));
}
