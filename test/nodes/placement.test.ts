import * as eks from 'aws-cdk-lib/aws-eks';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { AirflowNodePools, NodePlacement } from '../../src';
import { acrossZones, airflowNodes, nodeAffinityOf, nodeSelectorOf, tolerationsOf } from '../../src/nodes/placement';
import { CHARTS_UNDER_TEST, Json, synthAirflow, synthCommunity, valuesOf } from '../util';

test('defaults: no taints, and no tolerations', () => {
  expect(tolerationsOf({ labels: { team: 'data' } })).toEqual([]);
  expect(tolerationsOf({ labels: { team: 'data' }, taints: [] })).toEqual([]);
});

test('the nodes that are created for Airflow', () => {
  const taints = [{ key: 'dedicated', value: 'airflow', effect: eks.TaintEffect.NO_SCHEDULE }];
  expect(airflowNodes()).toEqual({ labels: { role: 'airflow' }, taints });
  expect(airflowNodes({ deployment: 'data', type: 'af-db' })).toEqual({ labels: { 'role': 'airflow', 'airflow-deployment': 'data', 'type': 'af-db' }, taints });
});

const { NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE } = eks.TaintEffect;

test.each<[string, eks.TaintSpec, Json]>([
  ['a whole taint', { key: 'team', value: 'data', effect: NO_SCHEDULE }, { key: 'team', operator: 'Equal', value: 'data', effect: 'NoSchedule' }],
  ['the effect NO_EXECUTE', { key: 'team', value: 'data', effect: NO_EXECUTE }, { key: 'team', operator: 'Equal', value: 'data', effect: 'NoExecute' }],
  ['the effect PREFER_NO_SCHEDULE', { key: 'team', value: 'data', effect: PREFER_NO_SCHEDULE },
    { key: 'team', operator: 'Equal', value: 'data', effect: 'PreferNoSchedule' }],
  ['no value: any value', { key: 'team', effect: NO_SCHEDULE }, { key: 'team', operator: 'Exists', effect: 'NoSchedule' }],
  ['an empty value: an empty value', { key: 'team', value: '', effect: NO_SCHEDULE }, { key: 'team', operator: 'Equal', value: '', effect: 'NoSchedule' }],
  ['no effect: any effect', { key: 'team', value: 'data' }, { key: 'team', operator: 'Equal', value: 'data' }],
  ['a key alone: any value and effect', { key: 'team' }, { key: 'team', operator: 'Exists' }],
  ['no key: all taints with the effect', { effect: NO_SCHEDULE }, { operator: 'Exists', effect: 'NoSchedule' }],
  ['nothing: all taints', {}, { operator: 'Exists' }],
  ['undefined as not given', { key: 'team', value: undefined, effect: undefined }, { key: 'team', operator: 'Exists' }],
])('tolerations: %s', (_name, taint, toleration) => {
  expect(tolerationsOf({ labels: {}, taints: [taint] })).toEqual([toleration]);
});

test('one toleration per taint', () => {
  expect(tolerationsOf({ labels: {}, taints: [{ key: 'a' }, { key: 'b' }] })).toEqual([{ key: 'a', operator: 'Exists' }, { key: 'b', operator: 'Exists' }]);
});

test('all labels of a placement are required', () => {
  const labels = { team: 'data', size: 'big' };
  expect(nodeSelectorOf({ labels })).toEqual(labels);
  expect(nodeAffinityOf({ labels }).nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms).toEqual([{
    matchExpressions: [{ key: 'team', operator: 'In', values: ['data'] }, { key: 'size', operator: 'In', values: ['big'] }],
  }]);
});

const existing = (scope: Construct, stateless: NodePlacement) =>
  AirflowNodePools.existing({ stateless, nodeRole: iam.Role.fromRoleName(scope, 'NodeRole', 'nodes') });

// A term without expressions matches no node.
test('a placement without labels names a label that every node has', () => {
  expect(nodeSelectorOf({ labels: {} })).toEqual({ 'kubernetes.io/os': 'linux' });
  const { template } = synthCommunity((stack) => ({ nodePools: existing(stack, { labels: {} }) }));
  expect(valuesOf(template).airflow.defaultAffinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms)
    .toEqual([{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }]);
});

test.each(CHARTS_UNDER_TEST)('no label and no taint of Airflow is on nodes that already exist: $name', ({ chart }) => {
  const { template } = synthAirflow((stack) => ({ chart: chart(), nodePools: existing(stack, { labels: {}, taints: [{ key: 'team' }] }) }));
  const values = JSON.stringify(valuesOf(template));
  expect(values).not.toContain('af-stat');
  expect(values).not.toContain('dedicated');
  expect(values).toContain('{"key":"team","operator":"Exists"}');
});

test('pods are spread across zones, as far as there are nodes', () => {
  expect(acrossZones({ component: 'scheduler' })).toEqual([{
    maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { component: 'scheduler' } },
  }]);
});
