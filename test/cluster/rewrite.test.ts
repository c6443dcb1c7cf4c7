import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { merge, rewrite } from './rewrite';
import { Secrets } from './secrets';

const folder = mkdtempSync(join(tmpdir(), 'rewrite-'));
const file = join(folder, 'secrets.json');
const secrets = new Secrets(file);
const volumes = { source: (handle: string) => ({ hostPath: { path: `/shared/${handle}` } }) };

beforeEach(() => writeFileSync(file, JSON.stringify({ 'airflow/deploy-key': 'key' })));
afterAll(() => rmSync(folder, { recursive: true }));

const manifest = (objects: object[], standIns = {}) =>
  JSON.parse(rewrite({ Manifest: JSON.stringify(objects) }, { secrets, values: {}, ...standIns }).Manifest);

test('generates the values of secrets', () => {
  secrets.create('arn:plain', {});
  secrets.create('arn:json', { GenerateSecretString: { PasswordLength: 8, GenerateStringKey: 'password', SecretStringTemplate: '{"user":"admin"}' } });
  const written = JSON.parse(readFileSync(file, 'utf8'));
  expect(written['arn:plain']).toMatch(/^[A-Za-z]{32}$/);
  expect(JSON.parse(written['arn:json'])).toEqual({ user: 'admin', password: expect.stringMatching(/^[A-Za-z]{8}$/) });
  secrets.delete('arn:plain');
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['airflow/deploy-key', 'arn:json']);
});

test('a secret store holds the values that the manifest refers to, and lacks those that do not exist', () => {
  const external = { kind: 'ExternalSecret', spec: { data: ['airflow/deploy-key', 'missing'].map((key) => ({ remoteRef: { key } })) } };
  const [store, unchanged] = manifest([{ kind: 'SecretStore', spec: { provider: { aws: {} } } }, external]);
  expect(store.spec).toEqual({ provider: { fake: { data: [{ key: 'airflow/deploy-key', value: 'key' }] } } });
  expect(unchanged).toEqual(external);
});

test('a volume of the EFS CSI driver becomes a shared folder', () => {
  const volume = { kind: 'PersistentVolume', spec: { capacity: {}, mountOptions: ['tls'], csi: { driver: 'efs.csi.aws.com', volumeHandle: 'fs-1::fsap-1' } } };
  expect(manifest([volume], { volumes })).toEqual([{ kind: 'PersistentVolume', spec: { capacity: {}, hostPath: { path: '/shared/fs-1::fsap-1' } } }]);
  expect(manifest([volume])).toEqual([volume]);
});

test('values are merged into those of their release', () => {
  const values = { airflow: { scheduler: { replicas: 1 } } };
  expect(rewrite({ Release: 'airflow', Values: '{"scheduler":{"replicas":2,"command":["x"]}}' }, { secrets, values }))
    .toEqual({ Release: 'airflow', Values: '{"scheduler":{"replicas":1,"command":["x"]}}' });
  expect(rewrite({ Release: 'other', Values: '{}' }, { secrets, values })).toEqual({ Release: 'other', Values: '{}' });
  expect(merge({ list: [1, 2], text: 'a' }, { list: [3] })).toEqual({ list: [3], text: 'a' });
});
