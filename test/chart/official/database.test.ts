import { synthOfficial } from './util';
import { AirflowSecret } from '../../../src';
import { valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const ODD_PASSWORD = 'p@ss/w:rd?#%&+ "quoted" \\ é';
const { template } = synthOfficial();
const values = valuesOf(template);
const written = writtenSecrets(template, () => ODD_PASSWORD);

test('defaults: a database whose claim keeps its owner, and whose node can be removed', () => {
  expect(values.postgresql).toMatchObject({
    enabled: true,
    fullnameOverride: 'airflow-postgresql',
    auth: { enablePostgresUser: true, database: 'airflow' },
    primary: { podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
    volumePermissions: { enabled: false },
  });
  expect(values.pgbouncer.enabled).toBe(true);
});

test.each([
  ['airflow-metadata', 'airflow-pgbouncer.airflow:6543', '/airflow-metadata', ''],
  ['airflow-pgbouncer-stats', '127.0.0.1:6543', '/pgbouncer', '?sslmode=disable'],
])('defaults: %s is a URL that contains the password', (secret, host, pathname, search) => {
  const url = new URL(written[secret].connection);
  expect({ username: url.username, password: decodeURIComponent(url.password), host: url.host, pathname: url.pathname, search: url.search })
    .toEqual({ username: 'postgres', password: ODD_PASSWORD, host, pathname, search });
});

test('defaults: PgBouncer knows the user by a quoted password, in which quotes are doubled', () => {
  expect(written['airflow-pgbouncer-config']['users.txt']).toBe('"postgres" "p@ss/w:rd?#%&+ ""quoted"" \\ é"\n');
});

test('defaults: PgBouncer connects to the database, for more clients than by default', () => {
  const ini = written['airflow-pgbouncer-config']['pgbouncer.ini'];
  expect(ini).toMatch(/^airflow-metadata = host=airflow-postgresql\.airflow port=5432 dbname=airflow pool_size=20$/m);
  expect(ini).toMatch(/^listen_port = 6543$/m);
  expect(ini).toMatch(/^pool_mode = transaction$/m);
  expect(ini).toMatch(/^auth_file = \/etc\/pgbouncer\/users\.txt$/m);
  expect(ini).toMatch(/^max_client_conn = 1000$/m);
});

test('defaults: the database has the password as it is', () => {
  expect(written['airflow-postgresql']['postgres-password']).toBe(ODD_PASSWORD);
});

test('fails when the password is in a Kubernetes Secret', () => {
  expect(() => synthOfficial({ secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } })).toThrow(new Error(
    "Data/Airflow: 'secrets.databasePassword' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-metadata';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'));
});
