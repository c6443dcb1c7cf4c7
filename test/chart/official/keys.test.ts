import { environmentOf, synthOfficial } from './util';
import { AirflowSecret, AirflowVariable } from '../../../src';
import { objectsOf, valuesOf } from '../../util';

test('defaults: each key is in a Secret that the operator writes, under the name that the chart reads', () => {
  const { template } = synthOfficial();
  expect(valuesOf(template)).toMatchObject({
    fernetKeySecretName: 'airflow-fernet-key',
    apiSecretKeySecretName: 'airflow-api-secret-key',
    jwtSecretName: 'airflow-jwt-secret',
    data: { metadataSecretName: 'airflow-metadata', brokerUrlSecretName: 'airflow-broker-url' },
    flower: { enabled: true, secretName: 'airflow-flower' },
  });
  expect(objectsOf(template, 'ExternalSecret').map(({ metadata, spec }) => [metadata.name, Object.keys(spec.target.template.data).sort()]).sort()).toEqual([
    ['airflow-api-secret-key', ['api-secret-key']],
    ['airflow-broker-url', ['connection']],
    ['airflow-fernet-key', ['fernet-key']],
    ['airflow-flower', ['basicAuth']],
    ['airflow-jwt-secret', ['jwt-secret']],
    ['airflow-metadata', ['connection']],
    ['airflow-secret', ['airflow-admin-password', 'postgresql-password']],
    ['airflow-valkey', ['valkey.conf']],
  ]);
});

test('custom: Kubernetes Secrets', () => {
  const own = (key: string) => AirflowSecret.fromKubernetesSecret('own', key);
  const { template } = synthOfficial({
    secrets: { fernetKey: own('fernet-key'), apiSecretKey: own('api-secret-key'), jwtSecret: own('jwt-secret'), flowerPassword: own('basicAuth') },
    users: [{ username: 'admin', email: 'admin@example.com', password: own('pw') }],
    variables: [AirflowVariable.fromSecret('license', own('license'))],
  });
  const values = valuesOf(template);
  expect(values).toMatchObject({ fernetKeySecretName: 'own', apiSecretKeySecretName: 'own', jwtSecretName: 'own', flower: { secretName: 'own' } });
  expect(environmentOf(values)).toEqual({ AIRFLOW_VAR_LICENSE: { name: 'own', key: 'license' } });
  expect(values.dagProcessor.extraContainers[0].env).toContainEqual({ name: 'AIRFLOW_ON_EKS_PASSWORD_0', valueFrom: { secretKeyRef: { name: 'own', key: 'pw' } } });
});

test.each([
  ['fernetKey', 'fernet-key'], ['apiSecretKey', 'api-secret-key'], ['jwtSecret', 'jwt-secret'],
])('fails when secrets.%s has another key than the chart reads', (prop, key) => {
  expect(() => synthOfficial({ secrets: { [prop]: AirflowSecret.fromKubernetesSecret('mine', 'other') } })).toThrow(new Error(
    `Data/Airflow: 'secrets.${prop}' must have the key '${key}' in its Kubernetes Secret, which is the only key that the chart reads, got 'other'`));
});
