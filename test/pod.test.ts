import { CONFINED_CONTAINER, confinedPod } from '../src/pod';

const nodes = { labels: { type: 'af-db' }, taints: [{ key: 'dedicated', value: 'airflow' }] };

test('defaults: a pod of one user on its nodes, without privileges', () => {
  expect(confinedPod(nodes, 1001)).toEqual({
    nodeSelector: { type: 'af-db' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow' }],
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsUser: 1001, runAsGroup: 1001, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  });
  expect(CONFINED_CONTAINER).toEqual({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true });
});

test('custom: access to volumes', () => {
  expect(confinedPod(nodes, 999, { fsGroup: 999 }).securityContext).toMatchObject({ runAsUser: 999, fsGroup: 999 });
});
