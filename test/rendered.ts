import * as YAML from 'yaml';
import { Json } from './util';

/** What must hold of the objects that a cluster is given. */
export interface Expectations {
  /** The labels of the nodes that each workload is pinned to, by the first pattern that fits `Kind/name`. */
  readonly pools: [workload: RegExp, labels: Record<string, string>][];
  /** The taints of these nodes. */
  readonly taints: { key: string; value?: string; effect?: string }[];
  /** The claims that containers mount. */
  readonly mounts?: { workload: RegExp; container: RegExp; claim: string; path: string }[];
  /** Text that may stand nowhere, neither plain nor in base64. */
  readonly forbiddenText?: string[];
  /** Keys that a chart mounts and does not make, as `Kind/name key`: Kubernetes puts an empty folder in their place. */
  readonly absentKeys?: string[];
  /** Keys of Secrets that someone else has made. */
  readonly existingSecrets?: Record<string, string[]>;
}

/** A pod, by the object that makes it. */
interface Pod { readonly workload: string; readonly labels: Json; readonly spec: Json; readonly claimTemplates: string[] }

/** All that Kubernetes 1.34 serves and we use, and what the External Secrets operator adds. */
const SERVED = new Set([
  'v1', 'apps/v1', 'batch/v1', 'autoscaling/v1', 'autoscaling/v2', 'policy/v1', 'networking.k8s.io/v1', 'rbac.authorization.k8s.io/v1',
  'storage.k8s.io/v1', 'scheduling.k8s.io/v1', 'coordination.k8s.io/v1', 'apiextensions.k8s.io/v1', 'admissionregistration.k8s.io/v1',
  'external-secrets.io/v1',
]);

/** Where images were, and are no more, or are not maintained. */
const GONE = /^(docker\.io\/bitnami\/|public\.ecr\.aws\/bitnami\/|k8s\.gcr\.io\/|gcr\.io\/google[_-]containers\/|quay\.io\/kubernetes-ingress-controller\/)/;

const WELL_KNOWN_PASSWORDS = ['airflow', 'admin', 'postgres', 'password', 'changeme'];

const list = (value: unknown): any[] => Array.isArray(value) ? value : [];
const nameOf = (object: Json) => `${object.kind}/${object.metadata?.name}`;
const containersOf = (spec: Json): Json[] => [...list(spec.initContainers), ...list(spec.containers)];

/** Parses YAML of many documents; broken YAML and keys that stand twice throw. */
export function parse(yaml: string): Json[] {
  return YAML.parseAllDocuments(yaml, { uniqueKeys: true, merge: true }).map((document) => {
    if (document.errors.length > 0) {
      throw document.errors[0];
    }
    return document.toJS() as Json;
  }).filter(Boolean);
}

function podsOf(objects: Json[]): Pod[] {
  return objects.flatMap((object): Pod[] => {
    const pod = (template: Json, workload = nameOf(object)): Pod => ({
      workload,
      labels: template.metadata?.labels ?? {},
      spec: template.spec,
      claimTemplates: list(object.spec?.volumeClaimTemplates).map(({ metadata }) => metadata.name),
    });
    switch (object.kind) {
      case 'Pod': return [pod(object)];
      case 'CronJob': return [pod(object.spec.jobTemplate.spec.template)];
      case 'Deployment': case 'StatefulSet': case 'DaemonSet': case 'ReplicaSet': case 'Job': return [pod(object.spec.template)];
      case 'ConfigMap': return Object.entries(object.data ?? {}).filter(([, text]) => /^kind: Pod$/m.test(String(text)))
        .map(([key, text]) => pod(YAML.parse(String(text)), `PodTemplate/${object.metadata.name}/${key}`));
      default: return [];
    }
  });
}

/** Each way in which what was rendered breaks what must hold, as one line; none if all is well. */
export function violations(yaml: string, expected: Expectations): string[] {
  const objects = parse(yaml);
  const pods = podsOf(objects);
  return [
    ...objects.flatMap((object) => SERVED.has(object.apiVersion) ? [] : [`${nameOf(object)}: Kubernetes 1.34 does not serve ${object.apiVersion}`]),
    ...duplicates(objects.map((object) => `${object.metadata?.namespace ?? ''} ${nameOf(object)}`)).map((name) => `${name.trim()}: is made twice`),
    ...objects.filter(({ kind, metadata }) => kind === 'Job' && /post-(install|upgrade)/.test(metadata.annotations?.['helm.sh/hook'] ?? ''))
      .map((job) => `${nameOf(job)}: is a hook that runs after the wait for what waits for it`),
    ...pods.flatMap((pod) => [
      ...placement(pod, expected), ...images(pod), ...entriesOnce(pod), ...volumes(pod),
    ].map((message) => `${pod.workload}: ${message}`)),
    ...mounts(pods, expected),
    ...references(objects, pods, expected),
    ...secretText(objects, expected.forbiddenText ?? []),
    ...selections(objects, pods),
    ...autoscalers(objects),
    ...ingresses(objects),
  ];
}

function duplicates(names: string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}

function placement({ workload, spec }: Pod, { pools, taints }: Expectations): string[] {
  const pool = pools.find(([pattern]) => pattern.test(workload));
  if (!pool) {
    return ['belongs to no pool'];
  }
  const untolerated = taints.filter((taint) => !list(spec.tolerations).some((toleration) =>
    (toleration.key === undefined || toleration.key === taint.key) && (toleration.effect === undefined || toleration.effect === taint.effect)
    && (toleration.operator === 'Exists' || toleration.value === taint.value)));
  const terms = list(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const unpinned = Object.entries(pool[1]).filter(([key, value]) => {
    // Terms are alternatives: each of them has to say it.
    const required = terms.map(({ matchExpressions }) => list(matchExpressions).filter((term) => term.key === key && term.operator === 'In').map(({ values }) => values));
    const selected: string[] = [spec.nodeSelector?.[key]].filter(Boolean);
    const contradicts = [...selected, ...required.flat(2)].some((found) => found !== value);
    return contradicts || (selected.length === 0 && (required.length === 0 || required.some((values) => values.length === 0)));
  });
  return [
    ...untolerated.map(({ key, value, effect }) => `does not tolerate ${key}=${value}:${effect}`),
    ...unpinned.map(([key, value]) => `is not pinned to ${key}=${value}`),
  ];
}

/** An image with the registry and the library that Docker would add. */
function normalized(image: string): string {
  const [first, ...rest] = image.split('/');
  if (rest.length === 0) {
    return `docker.io/library/${image}`;
  }
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}

function images({ spec }: Pod): string[] {
  return containersOf(spec).flatMap(({ name, image }) => {
    const full = normalized(String(image ?? ''));
    const tag = /(?::([\w.-]+)|@sha256:[0-9a-f]{64})$/.exec(full.split('/').pop()!);
    return [
      ...GONE.test(full) ? [`${name}: image ${full} is gone`] : [],
      ...!tag || tag[1] === 'latest' ? [`${name}: image ${full} has no tag that stays the same image`] : [],
    ];
  });
}

/** Helm 4 applies on the server, which refuses entries of one key. */
function entriesOnce({ spec }: Pod): string[] {
  const twice = (what: string, entries: any[], key: (entry: any) => string) => duplicates(entries.map(key)).map((name) => `${what} '${name}' stands twice`);
  return [
    ...twice('volume', list(spec.volumes), ({ name }) => name),
    ...twice('container', containersOf(spec), ({ name }) => name),
    ...containersOf(spec).flatMap((container) => [
      ...twice('variable', list(container.env), ({ name }) => name),
      ...twice('mount path', list(container.volumeMounts), ({ mountPath }) => mountPath),
      ...twice('port', list(container.ports), ({ containerPort, protocol }) => `${containerPort}/${protocol ?? 'TCP'}`),
    ].map((message) => `${container.name}: ${message}`)),
  ];
}

function volumes({ spec, claimTemplates }: Pod): string[] {
  const defined = new Set([...list(spec.volumes).map(({ name }) => name), ...claimTemplates]);
  return containersOf(spec).flatMap((container) => list(container.volumeMounts).filter(({ name }) => !defined.has(name))
    .map(({ name }) => `${container.name}: mounts '${name}', which is not defined`));
}

function mounts(pods: Pod[], expected: Expectations): string[] {
  return (expected.mounts ?? []).flatMap(({ workload, container, claim, path }) => {
    const found = pods.filter((pod) => workload.test(pod.workload))
      .flatMap((pod) => containersOf(pod.spec).filter(({ name }) => container.test(name)).map((of) => ({ pod, of })));
    return found.length === 0 ? [`no container is like ${workload} ${container}`] : found
      .filter(({ pod, of }) => !list(of.volumeMounts).some(({ name, mountPath, subPath }) => mountPath === path && !subPath
        && list(pod.spec.volumes).some((volume) => volume.name === name && volume.persistentVolumeClaim?.claimName === claim)))
      .map(({ pod, of }) => `${pod.workload}: ${of.name}: does not mount claim ${claim} at ${path}`);
  });
}

interface Reference { readonly kind: string; readonly name: string; readonly key?: string }

function referencesOf({ spec }: Pod): Reference[] {
  const keyed = (kind: string, name: string, items: unknown): Reference[] =>
    list(items).length > 0 ? list(items).map(({ key }) => ({ kind, name, key })) : [{ kind, name }];
  return [
    { kind: 'ServiceAccount', name: spec.serviceAccountName ?? 'default' },
    ...list(spec.imagePullSecrets).map(({ name }) => ({ kind: 'Secret', name })),
    ...containersOf(spec).flatMap(({ env, envFrom }) => [
      ...list(env).flatMap(({ valueFrom }) => [
        ...valueFrom?.secretKeyRef && !valueFrom.secretKeyRef.optional ? [{ kind: 'Secret', ...valueFrom.secretKeyRef }] : [],
        ...valueFrom?.configMapKeyRef && !valueFrom.configMapKeyRef.optional ? [{ kind: 'ConfigMap', ...valueFrom.configMapKeyRef }] : [],
      ]),
      ...list(envFrom).flatMap(({ secretRef, configMapRef }) => [
        ...secretRef && !secretRef.optional ? [{ kind: 'Secret', name: secretRef.name }] : [],
        ...configMapRef && !configMapRef.optional ? [{ kind: 'ConfigMap', name: configMapRef.name }] : [],
      ]),
    ]),
    ...list(spec.volumes).flatMap((volume) => [volume, ...list(volume.projected?.sources)]).flatMap((source) => {
      const { secret, configMap, persistentVolumeClaim } = source;
      const kind = secret ? 'Secret' : 'ConfigMap';
      const { name = secret?.secretName, items, optional } = secret ?? configMap ?? {};
      // A file that is mounted by its name is a reference to a key as well.
      const files = containersOf(spec).flatMap(({ volumeMounts }) => list(volumeMounts))
        .filter((mount) => mount.name === source.name && mount.subPath);
      return [
        ...persistentVolumeClaim ? [{ kind: 'PersistentVolumeClaim', name: persistentVolumeClaim.claimName }] : [],
        ...(secret || configMap) && !optional ? keyed(kind, name, items ?? files.map(({ subPath }) => ({ key: subPath }))) : [],
      ];
    }),
  ];
}

function references(objects: Json[], pods: Pod[], { existingSecrets = {}, absentKeys = [] }: Expectations): string[] {
  const known = new Map<string, Set<string>>([['ServiceAccount/default', new Set()]]);
  const add = (object: string, keys: string[]) => known.set(object, new Set([...known.get(object) ?? [], ...keys]));
  for (const object of objects) {
    add(nameOf(object), Object.keys({ ...object.data, ...object.stringData, ...object.binaryData }));
    if (object.kind === 'ExternalSecret') {
      add(`Secret/${object.spec.target.name}`, Object.keys(object.spec.target.template.data));
    }
  }
  for (const [name, keys] of Object.entries(existingSecrets)) {
    add(`Secret/${name}`, keys);
  }
  return pods.flatMap((pod) => referencesOf(pod)
    .filter(({ kind, name, key }) => !absentKeys.includes(`${kind}/${name} ${key}`))
    .filter(({ kind, name, key }) => !known.has(`${kind}/${name}`) || (key !== undefined && !known.get(`${kind}/${name}`)!.has(key)))
    .map(({ kind, name, key }) => `${pod.workload}: refers to ${kind}/${name}${key === undefined ? '' : ` key '${key}'`}, which does not exist`))
    .filter((message, index, all) => all.indexOf(message) === index);
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
      ...forbidden.filter((secret) => text.includes(secret)).map((secret) => `has the secret '${secret.slice(0, 4)}...'`),
      ...text.includes('{{resolve:') ? ['has a dynamic reference, which nobody resolves here'] : [],
      ...text.includes(`${'-----BEGIN'} `) && /PRIVATE KEY-----/.test(text) ? ['has a private key'] : [],
      ...values.filter(([key, value]) => /pass|auth|secret|key|token/i.test(key) && WELL_KNOWN_PASSWORDS.includes(value.trim())).map(([key]) => `has a well-known password as '${key}'`),
    ].map((message) => `${nameOf(object)}: ${message}`);
  });
}

function selections(objects: Json[], pods: Pod[]): string[] {
  const selects = (selector: Json, labels: Json) => Object.entries(selector).every(([key, value]) => labels[key] === value);
  return objects.flatMap((object) => {
    const selector: Json = object.kind === 'Service' ? object.spec.selector : object.spec?.selector?.matchLabels;
    if (!['Service', 'PodDisruptionBudget'].includes(object.kind)) {
      // A workload whose selector misses its own pods is refused.
      const own = podsOf([object])[0];
      return selector && own && !selects(selector, own.labels) ? [`${nameOf(object)}: does not select its own pods`] : [];
    }
    const selected = pods.some(({ labels }) => selector && Object.keys(selector).length > 0 && selects(selector, labels));
    const bounds = object.kind === 'PodDisruptionBudget' && (object.spec.minAvailable === undefined) === (object.spec.maxUnavailable === undefined);
    return [...selected ? [] : [`${nameOf(object)}: selects no pod`], ...bounds ? [`${nameOf(object)}: must have one of minAvailable and maxUnavailable`] : []];
  });
}

function autoscalers(objects: Json[]): string[] {
  return objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler').flatMap((autoscaler) => {
    const { scaleTargetRef: { kind, name }, metrics } = autoscaler.spec;
    const target = objects.find((object) => nameOf(object) === `${kind}/${name}`);
    if (!target) {
      return [`${nameOf(autoscaler)}: scales ${kind}/${name}, which does not exist`];
    }
    return [
      // Two owners of one field: server-side apply refuses the next upgrade.
      ...target.spec.replicas === undefined || target.spec.replicas === null ? [] : [`${nameOf(target)}: has replicas, which ${nameOf(autoscaler)} owns`],
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
    return !port ? [`${nameOf(ingress)}: leads to port ${number ?? name} of Service/${backend.service.name}, which does not exist`]
      : nodePort && !['NodePort', 'LoadBalancer'].includes(service!.spec.type) ? [`${nameOf(ingress)}: leads to nodes, but Service/${backend.service.name} has no port there`] : [];
  }));
}
