/**
 * What must hold of a cluster after a deployment, and after a deletion.
 */
import { Tools } from './tools';

/** Kinds that come and go by themselves, or belong to another object. */
const IGNORED = /^(apiservices|bindings|componentstatuses|controllerrevisions|csinodes|endpoints|endpointslices|events|leases|nodes|pods|podtemplates|replicasets)(\.|$)/;

interface Found { readonly name: string; readonly namespace: string; readonly terminating: boolean }

/** The workloads that are not complete; empty when all are, which is waited for. */
export async function incomplete(tools: Tools, seconds: number): Promise<string[]> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const workloads = await tools.objects('deployments,statefulsets,daemonsets', '--all-namespaces');
    const problems = workloads.map(({ kind, metadata, spec, status }) => {
      const wanted = kind === 'DaemonSet' ? status.desiredNumberScheduled : spec.replicas;
      const ready = kind === 'DaemonSet' ? status.numberReady : status.readyReplicas;
      return (ready ?? 0) === (wanted ?? 0) ? '' : `${kind} ${metadata.namespace}/${metadata.name}: ${ready ?? 0} of ${wanted} ready`;
    }).filter(Boolean);
    if (problems.length === 0 || Date.now() > end) {
      return problems;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** Why a DAG that starts by itself has not succeeded, as the in-cluster database says; empty when it has, which is waited for. */
export async function notRun(tools: Tools, dag: string, seconds: number): Promise<string[]> {
  const [{ metadata }] = await tools.objects('pods', '--all-namespaces', '--selector', 'app.kubernetes.io/name=postgresql');
  const query = `psql --username=postgres --no-align --tuples-only --command="SELECT state FROM dag_run WHERE dag_id = '${dag}'" "$POSTGRES_DB"`;
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const state = await tools.kubectl('exec', metadata.name, '--namespace', metadata.namespace, '--container', 'postgresql', '--', 'sh', '-c', query);
    if (state.trim() === 'success') {
      return [];
    }
    if (state.trim() === 'failed' || Date.now() > end) {
      return [`the run of '${dag}': ${state.trim() || 'none'}`];
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

/** All objects, as `Kind/name` or `Kind/namespace/name`, when a cluster that has just started makes no more of its own. */
export async function inventory(tools: Tools): Promise<string[]> {
  let objects: Found[] = [];
  for (let count = -1; count !== objects.length;) {
    count = objects.length;
    await new Promise((resolve) => setTimeout(resolve, 5000));
    objects = await found(tools);
  }
  return objects.map(({ name }) => name);
}

/** What was not there before, without the objects in namespaces that were not there either. */
export async function leftBehind(tools: Tools, before: string[]): Promise<{ stays: string[]; hangs: string[] }> {
  const added = (await found(tools)).filter(({ name }) => !before.includes(name));
  const namespaces = new Set(added.filter(({ name }) => name.startsWith('Namespace/')).map(({ name }) => name.split('/')[1]));
  return {
    stays: added.filter(({ namespace, terminating }) => !terminating && !namespaces.has(namespace)).map(({ name }) => name),
    hangs: added.filter(({ terminating }) => terminating).map(({ name }) => name),
  };
}

/** Names by kind; of many only their number. */
export function summary(names: string[]): string {
  const kindOf = (name: string) => name.split('/')[0];
  return [...new Set(names.map(kindOf))].map((kind) => {
    const same = names.filter((name) => kindOf(name) === kind);
    return same.length > 3 ? `${same.length} of kind ${kind}` : same.join(', ');
  }).join(', ') || 'nothing';
}

async function found(tools: Tools): Promise<Found[]> {
  const kinds = (await tools.kubectl('api-resources', '--verbs', 'list,delete', '--output', 'name')).trim().split('\n').filter((kind) => !IGNORED.test(kind));
  const columns = 'KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name,DELETED:.metadata.deletionTimestamp';
  const lines = await tools.kubectl('get', kinds.join(','), '--all-namespaces', '--no-headers', '--output', `custom-columns=${columns}`);
  return lines.trim().split('\n').map((line) => line.trim().split(/\s+/)).map(([kind, namespace, name, deleted]) => ({
    name: namespace === '<none>' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`,
    namespace,
    terminating: deleted !== '<none>',
  }));
}
