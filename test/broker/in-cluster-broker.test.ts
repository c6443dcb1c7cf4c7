import { Duration, Token } from 'aws-cdk-lib';
import { AirflowOnEksProps, AirflowSecret, CeleryBroker } from '../../src';
import { writtenSecrets } from '../chart/templates';
import { poolsOf } from '../matrix';
import { awaitedOf, Json, objectsOf, synthAirflow } from '../util';

const broker = (options = {}, props: Partial<AirflowOnEksProps> = {}) => synthAirflow({ broker: CeleryBroker.inCluster(options), ...props });

function podOf(options = {}, props: Partial<AirflowOnEksProps> = {}): Json {
  const [{ spec }] = objectsOf(broker(options, props).template, 'StatefulSet');
  return spec.template.spec;
}

test('defaults: one pod on the nodes of the database, that is not root, writes no file and has no token', () => {
  const spec = podOf();
  expect(spec).toMatchObject({
    nodeSelector: poolsOf('airflow').database.labels,
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'airflow', effect: 'NoSchedule' }],
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 999, runAsGroup: 999, fsGroup: 999 },
  });
  expect(spec.containers).toHaveLength(1);
  expect(spec.containers[0]).toMatchObject({
    image: 'docker.io/valkey/valkey:9.1',
    resources: { requests: { cpu: '100m', memory: '512Mi' }, limits: { memory: '512Mi' } },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  });
});

test('defaults: messages are in memory and never evicted, and the password is in a file', () => {
  const [{ command, args, volumeMounts }] = podOf().containers;
  expect([...command, ...args].join(' ')).toBe(
    'valkey-server /etc/valkey/valkey.conf --save  --appendonly no --maxmemory 402653184 --maxmemory-policy noeviction');
  expect(volumeMounts).toEqual([{ name: 'config', mountPath: '/etc/valkey', readOnly: true }]);
  expect(podOf().volumes).toEqual([{ name: 'config', secret: { secretName: 'airflow-valkey', defaultMode: 0o440 } }]);
});

const ODD_PASSWORD = 'p@ss/w:rd?#%&+ "quoted" \\ é';

test('defaults: the URL and the configuration contain the password', () => {
  const written = writtenSecrets(broker().template, () => ODD_PASSWORD);
  const url = new URL(written['airflow-broker-url'].connection);
  expect([url.protocol, url.username, decodeURIComponent(url.password), url.host, url.pathname, url.search])
    .toEqual(['redis:', '', ODD_PASSWORD, 'airflow-valkey:6379', '/0', '']);
  expect(written['airflow-valkey']['valkey.conf']).toBe('requirepass "p@ss/w:rd?#%&+ \\"quoted\\" \\\\ é"\n');
});

test('defaults: a Service that selects the pod', () => {
  const { template } = broker();
  const [service] = objectsOf(template, 'Service');
  const [{ spec }] = objectsOf(template, 'StatefulSet');
  expect([service.metadata.name, service.metadata.namespace]).toEqual(['airflow-valkey', 'airflow']);
  expect(service.spec.selector).toEqual(spec.template.metadata.labels);
  expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels);
  expect(spec.template.spec.containers[0].ports).toContainEqual({ name: service.spec.ports[0].targetPort, containerPort: 6379 });
});

test('custom: resources, in another namespace, with another time', () => {
  const { stack, template } = broker({ cpu: '1', memory: '2Gi' }, { namespace: 'data', readyTimeout: Duration.minutes(5) });
  const [{ metadata, spec }] = objectsOf(template, 'StatefulSet');
  expect([metadata.name, metadata.namespace]).toEqual(['data-valkey', 'data']);
  const [{ resources, args }] = spec.template.spec.containers;
  expect(resources).toEqual({ requests: { cpu: '1', memory: '2Gi' }, limits: { memory: '2Gi' } });
  expect(args).toContain(`${1.5 * 2 ** 30}`);
  expect(awaitedOf(stack)['Airflow/Broker/Ready']).toMatchObject({
    ObjectType: 'statefulset', ObjectName: '--field-selector=metadata.name=data-valkey', ObjectNamespace: 'data', TimeoutSeconds: 300,
  });
});

test('a deployment waits again when the broker changes, and only then', () => {
  const revisions = [broker(), broker({}, { scheduler: { replicas: 3 } }), broker({ memory: '1Gi' })].map(({ stack }) => awaitedOf(stack)['Airflow/Broker/Ready'].Revision);
  expect(revisions[1]).toBe(revisions[0]);
  expect(revisions[2]).not.toBe(revisions[0]);
});

test.each<[string, object, string]>([
  ['cpu is not a quantity', { cpu: 'half' }, "'broker.cpu' must be a Kubernetes quantity such as '500m' or '2', got 'half'"],
  ['memory is not a quantity', { memory: '1 GB' }, "'broker.memory' must be a Kubernetes quantity such as '512Mi' or '2Gi', got '1 GB'"],
])('fails when %s', (_name, options, message) => {
  expect(() => broker(options)).toThrow(new Error(`Data/Airflow/Broker: ${message}`));
});

test('fails when memory is known only to CloudFormation', () => {
  expect(() => broker({ memory: Token.asString({ Ref: 'Memory' }) })).toThrow(/'broker.memory' must be known at synthesis/);
});

test('fails when the password is in a Kubernetes Secret', () => {
  expect(() => synthAirflow({ secrets: { brokerPassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } })).toThrow(new Error(
    "Data/Airflow: 'secrets.brokerPassword' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-broker-url';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'));
});
