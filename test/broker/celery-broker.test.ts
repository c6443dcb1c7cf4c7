import { AirflowExecutor, AirflowOnEksProps, AirflowSecret, CeleryBroker } from '../../src';
import { environmentOf } from '../chart/official/util';
import { objectsOf, remoteSecret, synthAirflow, synthCommunity, valuesOf } from '../util';

const own = (key: string) => AirflowSecret.fromKubernetesSecret('mine', key);

test.each([['official', synthAirflow], ['community', synthCommunity]])('defaults: Valkey in the cluster, with one name for both charts: %s', (_name, synth) => {
  const { airflow, template } = synth();
  expect(airflow.broker!.hostname).toBe('airflow-valkey.airflow.svc');
  expect(objectsOf(template, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['airflow-valkey', 'airflow-postgresql']);
});

test('custom: the URL of a broker, which the operator copies', () => {
  const { airflow, template } = synthAirflow((stack) => ({ broker: CeleryBroker.fromUrl(remoteSecret(stack, 'broker', 'url')) }));
  expect(valuesOf(template).data.brokerUrlSecretName).toBe('airflow-broker-url');
  const { spec } = objectsOf(template, 'ExternalSecret').find(({ metadata }) => metadata.name === 'airflow-broker-url')!;
  expect(spec.data.map(({ remoteRef }: any) => [remoteRef.key, remoteRef.property])).toEqual([['broker', 'url']]);
  expect(objectsOf(template, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['airflow-postgresql']);
  expect([airflow.broker!.hostname, airflow.broker!.connections, airflow.secrets.brokerPassword]).toEqual([undefined, undefined, undefined]);
});

test('custom: the URL of a broker in a Kubernetes Secret', () => {
  const { template } = synthAirflow({ broker: CeleryBroker.fromUrl(own('connection')) });
  expect(valuesOf(template).data.brokerUrlSecretName).toBe('mine');
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('custom: without Celery, no broker: %s', (_name, synth) => {
  const { airflow, template } = synth({ executor: AirflowExecutor.KUBERNETES });
  expect(airflow.broker).toBeUndefined();
  expect(objectsOf(template, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['airflow-postgresql']);
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('fails when there is a broker without Celery workers: %s', (_name, synth) => {
  expect(() => synth({ executor: AirflowExecutor.KUBERNETES, broker: CeleryBroker.inCluster() })).toThrow(new Error(
    "Data/Airflow: 'broker' must not be set with AirflowExecutor.KUBERNETES, which has no broker; remove it, or use another executor"));
});

test.each<[string, Partial<AirflowOnEksProps>, string]>([
  ['beside a URL', { broker: CeleryBroker.fromUrl(own('connection')) }, 'CeleryBroker.fromUrl(), whose URL contains the password'],
  ['of AirflowExecutor.KUBERNETES', { executor: AirflowExecutor.KUBERNETES }, 'AirflowExecutor.KUBERNETES, which has no broker'],
  ['of AirflowExecutor.LOCAL', { executor: AirflowExecutor.LOCAL }, 'AirflowExecutor.LOCAL, which has no broker'],
])('fails when there is a password %s', (_name, props, reason) => {
  expect(() => synthAirflow((stack) => ({ ...props, secrets: { brokerPassword: remoteSecret(stack, 'broker') } }))).toThrow(new Error(
    `Data/Airflow: 'secrets.brokerPassword' has no effect with ${reason}; remove it`));
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('fails when a URL has another key than the chart reads: %s', (_name, synth) => {
  expect(() => synth({ broker: CeleryBroker.fromUrl(own('url')) })).toThrow(new Error(
    "Data/Airflow: 'broker' must have the key 'connection' in its Kubernetes Secret, which is the only key that the chart reads, got 'url'"));
});

test.each([
  ['official', synthAirflow, { redis: { enabled: true } }, 'redis'],
  ['official', synthAirflow, { data: { brokerUrlSecretName: 'mine' } }, 'data.brokerUrlSecretName'],
  ['community', synthCommunity, { redis: { enabled: true } }, 'redis'],
  ['community', synthCommunity, { externalRedis: { host: 'redis' } }, 'externalRedis'],
])('fails when helmValues of the %s chart contain a broker', (_name, synth, helmValues, path) => {
  expect(() => synth({ helmValues })).toThrow(new Error(`Data/Airflow: 'helmValues.${path}' must not be set, because 'broker' sets it; use 'broker'`));
});

test.each(['AIRFLOW__CELERY__BROKER_URL', 'AIRFLOW__CELERY__BROKER_URL_CMD'])('fails when environmentSecrets contain %s', (name) => {
  expect(() => synthAirflow({ environmentSecrets: { [name]: own('url') } })).toThrow(new Error(
    `Data/Airflow: 'environmentSecrets' must not set ${name}, which 'broker' sets; use 'broker'`));
  expect(environmentOf(valuesOf(synthAirflow().template))).not.toHaveProperty(name);
});
