/**
 * Draws what a synthesized app deploys with the official chart: `ts-node picture.ts <cloud assembly> <SVG file>`.
 */
import { writeFileSync } from 'fs';
import { Json, objectsOf, releasesOf, resourcesOf, templatesOf, textOf } from './assembly';

const INK = '#1b2733';
const GREY = '#5f6b7a';
const LINE = '#8a96a3';
const PALE = '#d5dbe1';

/** Fill and border of a card: the colors of the AWS architecture icons. */
const COMPUTE = { fill: '#fff4ea', border: '#ed7100' };
const STORAGE = { fill: '#f2f7ea', border: '#7aa116' };
const SECURITY = { fill: '#fdeeef', border: '#dd344c' };
const NETWORK = { fill: '#f4efff', border: '#8c4fff' };
const OTHER = { fill: '#f3f5f7', border: '#7d8998' };

/** The components of the official chart: their values, and whether git-sync runs beside them. */
const COMPONENTS: { name: string; path: string[]; dags?: boolean }[] = [
  { name: 'API server', path: ['apiServer'] },
  { name: 'Scheduler', path: ['scheduler'] },
  { name: 'DAG processor', path: ['dagProcessor'], dags: true },
  { name: 'Triggerer', path: ['triggerer'], dags: true },
  { name: 'Flower', path: ['flower'] },
  { name: 'StatsD', path: ['statsd'] },
  { name: 'Celery worker', path: ['workers', 'celery'], dags: true },
];

/** What the library itself runs, by the label of its pods. */
const SERVERS: Record<string, string> = { pgbouncer: 'PgBouncer', postgresql: 'PostgreSQL', valkey: 'Valkey' };

/** The cluster-wide releases, each below a pool, and the arrow between the two. */
const ADD_ONS: Record<string, { id: string; title: string; purpose: string; below: string; arrow: string }> = {
  'external-secrets': { id: 'eso', title: 'External Secrets', purpose: 'writes Kubernetes Secrets', below: 'af-stateless', arrow: 'dir=back' },
  'aws-efs-csi-driver': { id: 'csi', title: 'EFS CSI driver', purpose: 'mounts the volumes', below: 'af-stateful', arrow: '' },
  'aws-load-balancer-controller': { id: 'lbc', title: 'Load Balancer Controller', purpose: 'creates the load balancer', below: 'af-db', arrow: 'style=invis' },
};

interface Card {
  readonly colors: typeof COMPUTE;
  readonly title: string;
  readonly lines: string[];
  readonly chips?: { text: string; note?: string }[];
  readonly columns?: number;
}

const escape = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
const font = (text: string, size: number, color = INK) => `<FONT POINT-SIZE="${size}" COLOR="${color}">${escape(text)}</FONT>`;
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A title, lines below it, and at least `minRows` rows of chips, so that cards side by side are of one height. */
function table({ colors, title, lines, chips = [], columns = 1 }: Card, minRows = 0): string {
  const left = (content: string, attributes = '') => `<TR><TD ALIGN="LEFT" BALIGN="LEFT" COLSPAN="${columns}" ${attributes}>${content}</TD></TR>`;
  const chip = ({ text, note }: { text: string; note?: string }) =>
    `<TD BORDER="1" COLOR="${PALE}" BGCOLOR="white" STYLE="ROUNDED" ALIGN="LEFT" CELLPADDING="5">${font(text, 12)}${font(` ${note ? ` ${note}` : ''}`, 12, GREY)}</TD>`;
  const rows = Array.from({ length: Math.ceil(chips.length / columns) }, (_, row) => chips.slice(row * columns, (row + 1) * columns));
  return `<TABLE BORDER="1.5" COLOR="${colors.border}" BGCOLOR="${colors.fill}" STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="4" CELLPADDING="1">${[
    left(`<B>${font(title, 13)}</B>`),
    left(lines.map((line) => font(line, 11, GREY)).join('<BR/>')),
    ...rows.map((row) => `<TR>${row.map(chip).join('')}</TR>`),
    ...Array.from({ length: Math.max(minRows - rows.length, 0) }, () => left(font(' ', 12), 'BORDER="1" COLOR="transparent" CELLPADDING="5"')),
  ].join('')}</TABLE>`;
}

function node(id: string, card: Card): string {
  return `${id} [label=<${table(card)}>];`;
}

function edge(from: string, to: string, label = '', attributes = ''): string {
  return `${from} -> ${to} [label=<${font(label && `  ${label}`, 11, GREY)}> ${attributes}];`;
}

/** The node pools side by side, each with the components that its label selects. */
function pools(nodegroups: Json[], values: Json, template: Json): string {
  const gitSync = values.dags.gitSync.enabled ? '+ git-sync' : undefined;
  const components = COMPONENTS
    .map((component) => ({ ...component, own: component.path.reduce<Json | undefined>((parent, key) => parent?.[key], values) }))
    .filter(({ path, own }) => own && values[path[0]].enabled !== false);
  const servers = ['Deployment', 'StatefulSet'].flatMap((kind) => objectsOf(template, kind)).map(({ spec: { replicas, template: { metadata, spec } } }) =>
    ({ name: SERVERS[metadata.labels['app.kubernetes.io/name']], own: { ...spec, replicas }, dags: false }));
  const all = [...components, ...servers];
  const cards = nodegroups.map(({ Labels: { type }, CapacityType, ScalingConfig: { MinSize, MaxSize }, InstanceTypes }) => {
    const chips = all.filter(({ own }) => (own!.nodeSelector ?? values.nodeSelector).type === type).map(({ name, own, dags }) =>
      ({ text: own!.replicas > 1 ? `${own!.replicas} × ${name}` : name, note: dags ? gitSync : undefined }));
    const size = MinSize === MaxSize ? plural(MinSize, 'node') : `${MinSize} to ${MaxSize} nodes`;
    const lines = [`${CapacityType === 'SPOT' ? 'Spot' : 'On-Demand'}, ${size}`, InstanceTypes.join(', ')];
    return { colors: COMPUTE, title: type, lines, chips, columns: Math.ceil(chips.length / 3) };
  });
  const rows = Math.max(...cards.map(({ chips, columns }) => Math.ceil(chips.length / columns)));
  return `<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="8" CELLPADDING="0"><TR>${
    cards.map((card) => `<TD PORT="${card.title}">${table(card, rows)}</TD>`).join('')}</TR></TABLE>`;
}

/** What reaches the cluster from outside, in one row. */
function outside(ingress: Json, values: Json): string {
  const annotation = (key: string): string => ingress.metadata.annotations[`alb.ingress.kubernetes.io/${key}`];
  const listener = annotation('listen-ports').match(/\w+/g)!.join(' ');
  return [
    node('browser', { colors: OTHER, title: 'Browser', lines: [ingress.spec.rules[0].host] }),
    node('alb', { colors: NETWORK, title: 'Application Load Balancer', lines: [`${annotation('scheme')}, ${listener}`] }),
    node('git', { colors: OTHER, title: 'Git server', lines: [values.dags.gitSync.repo] }),
  ].join('\n');
}

/** The AWS services behind the cluster, in one row. */
function services(template: Json): string {
  const accessPoints = resourcesOf(template, 'AWS::EFS::AccessPoint').map(({ RootDirectory, PosixUser }) =>
    ({ text: RootDirectory.Path, note: `user ${PosixUser.Uid}` }));
  const generated = resourcesOf(template, 'AWS::SecretsManager::Secret').length;
  const remoteKeys = objectsOf(template, 'ExternalSecret').flatMap(({ spec }) => spec.data).map(({ remoteRef }) => remoteRef.key);
  const ownSecrets = [...new Set<string>(remoteKeys)].filter((key) => !key.startsWith('<')); // the others are references into the template
  const roles = resourcesOf(template, 'AWS::IAM::Role').filter(({ Description }) => Description)
    .map(({ Description }) => ({ text: textOf(Description).replace(/ of (the Airflow deployment '.*'|<.*>)$/, '') }));
  const secrets = [{ text: `${generated} generated`, note: 'retained' }, ...ownSecrets.map((text) => ({ text }))];
  return [
    node('secrets', { colors: SECURITY, title: 'AWS Secrets Manager', lines: ['keys and passwords'], chips: secrets }),
    node('efs', { colors: STORAGE, title: 'Amazon EFS', lines: ['encrypted, retained'], chips: accessPoints }),
    node('iam', { colors: SECURITY, title: 'AWS IAM', lines: [plural(roles.length, 'role')], chips: roles, columns: 2 }),
  ].join('\n');
}

function graph(template: Json): string {
  const releases = releasesOf(template);
  const { namespace, values } = releases.find(({ chart }) => chart === 'airflow')!;
  const addOns = releases.filter(({ chart }) => ADD_ONS[chart]).map(({ chart }) => ADD_ONS[chart]);
  const nodegroups = resourcesOf(template, 'AWS::EKS::Nodegroup');
  const airflowNodes = nodegroups.filter(({ Labels }) => Labels?.role === 'airflow');
  const others = { colors: OTHER, title: 'Other nodes', lines: ['CoreDNS, controllers'] };
  const text = 'fontname="Arial"';
  return `digraph {
    graph [bgcolor=transparent, compound=true, nodesep=0.35, ranksep=0.45, pad=0.05, labeljust=l, ${text}];
    node [shape=plain, ${text}];
    edge [color="${LINE}", arrowsize=0.7, penwidth=1.3, ${text}];
    subgraph cluster_card {
      graph [style="filled,rounded", fillcolor=white, color="${PALE}", margin=16];
      {rank=same; ${outside(objectsOf(template, 'Ingress')[0], values)}}
      subgraph cluster_eks {
        graph [fillcolor="#fafbfc", color="${COMPUTE.border}", penwidth=1.5, margin=12, label=<<B>${font('Amazon EKS cluster', 14)}</B>>];
        subgraph cluster_namespace {
          graph [style="filled,rounded,dashed", fillcolor=white, color="${LINE}", penwidth=1, margin=4, labeljust=r];
          graph [label=<${font(`namespace ${namespace}, Airflow ${values.airflowVersion}`, 12, GREY)}>];
          pods [label=<${pools(airflowNodes, values, template)}>];
        }
        {rank=same; ${addOns.map(({ id, title, purpose }) => node(id, { colors: OTHER, title, lines: [purpose] })).join('\n')}
          ${airflowNodes.length < nodegroups.length ? node('others', others) : ''}}
      }
      {rank=same; ${services(template)}}
    }
    ${edge('browser', 'alb', 'HTTPS')}
    ${edge('alb', 'git', '', 'style=invis')}
    ${edge('alb', 'pods:"af-stateless":n')}
    ${edge('git', 'pods:"af-stateful":n', 'SSH', 'lhead=cluster_namespace')}
    ${addOns.map(({ id, below, arrow }) => edge(`pods:"${below}":s`, id, '', `ltail=cluster_namespace, ${arrow}`)).join('\n')}
    ${edge('eso', 'secrets', '', 'weight=9')}
    ${edge('csi', 'efs', 'NFS over TLS', 'weight=9')}
    ${edge('csi', 'iam', '', 'style=invis')}
  }`;
}

async function main([assembly, file]: string[]): Promise<void> {
  const { instance } = await import('@viz-js/viz'); // an ES module
  const [, template] = templatesOf(assembly).find(([, stack]) => resourcesOf(stack, 'AWS::EFS::FileSystem').length > 0)!;
  const svg = (await instance()).renderString(graph(template), { format: 'svg' });
  writeFileSync(file, svg.replace(/font-family="Arial"/g, 'font-family="Arial, Helvetica, sans-serif"'));
}

void main(process.argv.slice(2));
