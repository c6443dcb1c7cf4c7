import { synthOfficial } from './util';
import { AirflowSecret, PgBouncer } from '../../../src';
import { valuesOf } from '../../util';
import { writtenSecrets } from '../templates';

const ODD_PASSWORD = 'p@ss/w:rd?#%&+ "quoted" \\ é';

test('defaults: the chart installs neither a database nor PgBouncer', () => {
  const { data, postgresql, pgbouncer } = valuesOf(synthOfficial().template);
  expect([data.metadataSecretName, postgresql, pgbouncer]).toEqual(['airflow-metadata', { enabled: false }, { enabled: false }]);
});

test.each<[string, PgBouncer, Record<string, string>]>([
  ['defaults: the URL of PgBouncer', PgBouncer.enabled(), { connection: 'airflow-pgbouncer.airflow:6432' }],
  ['custom: without PgBouncer, nothing points at it', PgBouncer.disabled(), { connection: 'airflow-postgresql.airflow:5432' }],
])('%s', (_name, pgBouncer, hosts) => {
  const { template } = synthOfficial({ pgBouncer });
  const urls = writtenSecrets(template, () => ODD_PASSWORD)['airflow-metadata'];
  expect(Object.keys(urls).sort()).toEqual(Object.keys(hosts));
  for (const [key, host] of Object.entries(hosts)) {
    const url = new URL(urls[key]);
    expect([url.username, decodeURIComponent(url.password), url.host, url.pathname, url.search]).toEqual(['postgres', ODD_PASSWORD, host, '/airflow', '']);
  }
});

test('fails when the password is in a Kubernetes Secret', () => {
  expect(() => synthOfficial({ secrets: { databasePassword: AirflowSecret.fromKubernetesSecret('mine', 'pw') } })).toThrow(new Error(
    "Data/Airflow: 'secrets.databasePassword' is the Kubernetes Secret 'mine', but this chart needs the value as a part of 'airflow-metadata';"
    + ' store it in AWS Secrets Manager and use AirflowSecret.fromSecretsManager()'));
});
