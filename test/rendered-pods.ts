import * as YAML from 'yaml';
import { Json } from './util';

/** What must be true of the objects that a cluster is given. */
export interface Expectations {
  /** The nodes on which the workloads must run, by the first pattern that matches `Kind/name`. */
  readonly pools: NodePool[];
  /** The workloads whose pods must not be evicted to save nodes. */
  readonly notEvicted?: RegExp;
  /** The claims that containers must mount. */
  readonly mounts?: { workload: RegExp; container: RegExp; claim: string; path: string }[];
  /** Text that must not occur anywhere, neither plain nor in base64. */
  readonly forbiddenText?: string[];
  /** Keys that a chart mounts without creating them, as `Kind/name key`: Kubernetes mounts an empty directory instead. */
  readonly absentKeys?: string[];
  /** Keys of Secrets that exist before the release. */
  readonly existingSecrets?: Record<string, string[]>;
  /** Claims that exist before the release. */
  readonly existingClaims?: string[];
}

/** Nodes, with their labels and taints in Kubernetes' words. */
export interface NodePool {
  readonly workload: RegExp;
  readonly labels: Record<string, string>;
  readonly taints: { key: string; value: string; effect: string }[];
}

/** A pod, with the object that creates it. */
export interface Pod {
  readonly workload: string;
  readonly labels: Json;
  readonly annotations: Json;
  readonly spec: Json;
  readonly claimTemplates: string[];
}


/** Registries and repositories whose images were removed, or get no updates. */
const GONE = /^(docker\.io\/bitnami\/|public\.ecr\.aws\/bitnami\/|k8s\.gcr\.io\/|gcr\.io\/google[_-]containers\/|quay\.io\/kubernetes-ingress-controller\/)/;


export const list = (value: unknown): any[] => Array.isArray(value) ? value : [];
export const nameOf = (object: Json) => `${object.kind}/${object.metadata?.name}`;
const containersOf = (spec: Json): Json[] => [...list(spec.initContainers), ...list(spec.containers)];


/** The pods that objects create, and those in the pod templates of ConfigMaps. */
export function podsOf(objects: Json[]): Pod[] {
  return objects.flatMap((object): Pod[] => {
    const pod = (template: Json, workload = nameOf(object)): Pod => ({
      workload,
      labels: template.metadata?.labels ?? {},
      annotations: template.metadata?.annotations ?? {},
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


function untolerated(spec: Json, taints: NodePool['taints']): NodePool['taints'] {
  return taints.filter((taint) => !list(spec.tolerations).some((toleration) =>
    (toleration.key === undefined || toleration.key === taint.key) && (toleration.effect === undefined || toleration.effect === taint.effect)
    && (toleration.operator === 'Exists' || toleration.value === taint.value)));
}

export function placement({ workload, spec }: Pod, { pools }: Expectations): string[] {
  const pool = pools.find((candidate) => candidate.workload.test(workload));
  if (!pool) {
    return ['belongs to no node pool'];
  }
  const terms = list(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const unpinned = Object.entries(pool.labels).filter(([key, value]) => {
    // Terms are alternatives: each of them must require the label.
    const required = terms.map(({ matchExpressions }) => list(matchExpressions).filter((term) => term.key === key && term.operator === 'In').map(({ values }) => values));
    const selected: string[] = [spec.nodeSelector?.[key]].filter(Boolean);
    const contradicts = [...selected, ...required.flat(2)].some((found) => found !== value);
    return contradicts || (selected.length === 0 && (required.length === 0 || required.some((values) => values.length === 0)));
  });
  return [
    ...untolerated(spec, pool.taints).map(({ key, value, effect }) => `does not tolerate ${key}=${value}:${effect}`),
    ...unpinned.map(([key, value]) => `is not pinned to ${key}=${value}`),
  ];
}


/** Cluster Autoscaler and Karpenter each read an annotation of their own. */
export function eviction({ workload, annotations }: Pod, { notEvicted }: Expectations): string[] {
  const kept = { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false', 'karpenter.sh/do-not-disrupt': 'true' };
  const missing = Object.entries(kept).filter(([name, value]) => annotations[name] !== value).map(([name, value]) => `lacks the annotation ${name}: ${value}`);
  return notEvicted?.test(workload) || missing.length === 1 ? missing : [];
}

/** Whether the scheduler may place a pod on a node, by the node's labels and taints. */
export function runsOn({ spec }: Pod, node: Pick<NodePool, 'labels' | 'taints'>): boolean {
  const labels: Json = { 'kubernetes.io/os': 'linux', ...node.labels };
  const terms = list(spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms);
  const matches = ({ key, operator, values }: Json) => (operator === 'NotIn') !== list(values).includes(labels[key]);
  return Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)
    && (terms.length === 0 || terms.some(({ matchExpressions }) => list(matchExpressions).every(matches)))
    && untolerated(spec, node.taints).length === 0;
}

/** An image with the registry and the namespace that Docker adds by default. */
function normalized(image: string): string {
  const [first, ...rest] = image.split('/');
  if (rest.length === 0) {
    return `docker.io/library/${image}`;
  }
  return /[.:]|^localhost$/.test(first) ? image : `docker.io/${image}`;
}

export function images({ spec }: Pod): string[] {
  return containersOf(spec).flatMap(({ name, image }) => {
    const full = normalized(String(image ?? ''));
    const tag = /(?::([\w.-]+)|@sha256:[0-9a-f]{64})$/.exec(full.split('/').pop()!);
    return [
      ...GONE.test(full) ? [`${name}: image ${full} is no longer published`] : [],
      ...!tag || tag[1] === 'latest' ? [`${name}: image ${full} has no tag that identifies one version`] : [],
    ];
  });
}

/** Helm 4 uses server-side apply, which refuses two entries with one key. */
export function entriesOnce({ spec }: Pod): string[] {
  const twice = (what: string, entries: any[], key: (entry: any) => string) => duplicates(entries.map(key)).map((name) => `${what} '${name}' occurs twice`);
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

/**
 * Without a request, nothing keeps room for a container, and it is terminated first. Without a limit, it takes the memory of others. The chart of
 * KEDA limits the CPU of its own containers.
 */
export function resourcesOfContainers({ spec }: Pod): string[] {
  return containersOf(spec).flatMap((container) => [
    ...['cpu', 'memory'].filter((name) => !container.resources?.requests?.[name]).map((name) => `${container.name}: requests no ${name}`),
    ...container.resources?.limits?.memory ? [] : [`${container.name}: has no memory limit`],
    ...container.resources?.limits?.cpu && !/^keda-/.test(container.name) ? [`${container.name}: has a CPU limit`] : [],
  ]);
}

/** The requests of a pod: thousandths of a vCPU, and MiB. An init container runs before the others, unless it always restarts. */
export function requestsOf({ spec }: Pick<Pod, 'spec'>): [number, number] {
  const parsed = (quantity: string) => {
    const [, number, unit] = /^([\d.]+)(m|Mi|Gi)?$/.exec(quantity)!;
    return Number(number) * ({ m: 0.001, Mi: 2 ** 20, Gi: 2 ** 30 }[unit] ?? 1);
  };
  const highest = (name: string) => {
    const sum = (containers: Json[]) => containers.reduce((total, { resources }) => total + parsed(String(resources.requests[name])), 0);
    let [sidecars, peak] = [0, 0];
    for (const container of list(spec.initContainers)) {
      peak = Math.max(peak, sidecars + sum([container]));
      sidecars += container.restartPolicy === 'Always' ? sum([container]) : 0;
    }
    return Math.max(peak, sidecars + sum(spec.containers));
  };
  return [Math.round(highest('cpu') * 1000), highest('memory') / 2 ** 20];
}

/** The numbers of pods of each workload without load and at most. Pods of tasks start on demand, and that of a CronJob runs at times. */
export function replicasOf(objects: Json[], { workload }: Pod): [number, number] {
  const [object, autoscaler] = [
    objects.find((candidate) => nameOf(candidate) === workload),
    objects.find(({ spec }) => spec?.scaleTargetRef && `${spec.scaleTargetRef.kind ?? 'Deployment'}/${spec.scaleTargetRef.name}` === workload),
  ];
  const { minReplicas, minReplicaCount, maxReplicas, maxReplicaCount } = autoscaler?.spec ?? {};
  const fixed = !object ? 0 : object.kind === 'CronJob' ? 1 : object.spec.replicas;
  return autoscaler ? [minReplicas ?? minReplicaCount, maxReplicas ?? maxReplicaCount] : [fixed, fixed];
}

export function volumes({ spec, claimTemplates }: Pod): string[] {
  const defined = new Set([...list(spec.volumes).map(({ name }) => name), ...claimTemplates]);
  return containersOf(spec).flatMap((container) => list(container.volumeMounts).filter(({ name }) => !defined.has(name))
    .map(({ name }) => `${container.name}: mounts '${name}', which is not defined`));
}

export function mounts(pods: Pod[], expected: Expectations): string[] {
  return (expected.mounts ?? []).flatMap(({ workload, container, claim, path }) => {
    const found = pods.filter((pod) => workload.test(pod.workload))
      .flatMap((pod) => containersOf(pod.spec).filter(({ name }) => container.test(name)).map((of) => ({ pod, of })));
    return found.length === 0 ? [`no container matches ${workload} ${container}`] : found
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
      // A mount of a single file refers to a key as well.
      const files = containersOf(spec).flatMap(({ volumeMounts }) => list(volumeMounts))
        .filter((mount) => mount.name === source.name && mount.subPath);
      return [
        ...persistentVolumeClaim ? [{ kind: 'PersistentVolumeClaim', name: persistentVolumeClaim.claimName }] : [],
        ...(secret || configMap) && !optional ? keyed(kind, name, items ?? files.map(({ subPath }) => ({ key: subPath }))) : [],
      ];
    }),
  ];
}

export function references(objects: Json[], pods: Pod[], { existingSecrets = {}, existingClaims = [], absentKeys = [] }: Expectations): string[] {
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
  existingClaims.forEach((claim) => add(`PersistentVolumeClaim/${claim}`, []));
  return pods.flatMap((pod) => referencesOf(pod)
    .filter(({ kind, name, key }) => !absentKeys.includes(`${kind}/${name} ${key}`))
    .filter(({ kind, name, key }) => !known.has(`${kind}/${name}`) || (key !== undefined && !known.get(`${kind}/${name}`)!.has(key)))
    .map(({ kind, name, key }) => `${pod.workload}: refers to ${kind}/${name}${key === undefined ? '' : ` key '${key}'`}, which does not exist`))
    .filter((message, index, all) => all.indexOf(message) === index);
}

/** The names that occur more than once. */
export function duplicates(names: string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
