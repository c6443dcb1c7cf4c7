import { Fn, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowChart, AirflowSecret } from '../../src';
import { escapeDollars, fernetTemplate, nodeLabels, passwordKey, privateKeyTemplate } from '../../src/chart/settings';
import { synthAirflow, valuesOf } from '../util';
import { expand } from './templates';

test.each([
  ['cost: 5$', 'cost: 5$$'],
  ['$(HOME) $$ ${X}', '$$(HOME) $$$$ $${X}'],
  ['', ''],
])('dollars of %j', (text, escaped) => {
  expect(escapeDollars(text)).toBe(escaped);
});

test('a token stays one, in each chart', () => {
  expect(escapeDollars(`$${Token.asString({ Ref: 'Host' })}$`)).toMatch(/^\$\$\$\{Token\[[^$]+\$\$$/);
  const { template } = synthAirflow((stack) => ({
    chart: AirflowChart.community(),
    connections: [{
      id: 'db',
      type: 'postgres',
      host: Fn.importValue('Host'),
      schema: '$x',
      password: AirflowSecret.fromSecretsManager(secretsmanager.Secret.fromSecretNameV2(stack, 'Db', 'db')),
    }],
  }));
  expect(valuesOf(template).airflow.connections[0]).toMatchObject({ host: '<Fn::ImportValue>', schema: '$$x', password: '${DB_PASSWORD}' });
});

test('any node has to be said', () => {
  expect(nodeLabels({ labels: { a: 'b' } })).toEqual({ a: 'b' });
  expect(nodeLabels({ labels: {} })).toEqual({ 'kubernetes.io/os': 'linux' });
  const { template } = synthAirflow((stack) => ({
    chart: AirflowChart.community(),
    existingNodes: { stateless: { labels: {} }, nodeRole: iam.Role.fromRoleName(stack, 'NodeRole', 'nodes') },
  }));
  // A term without expressions is one that no node fits.
  expect(valuesOf(template).airflow.defaultAffinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms)
    .toEqual([{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }]);
});

test.each([['jane.doe', 'airflow-jane.doe-password'], ['a@b.c', 'airflow-a.b.c-password']])('the key of the password of %s', (username, key) => {
  expect(passwordKey(username)).toBe(key);
});

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEF';
const fernet = 'YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXpBQkNERUY=';

test.each([
  ['32 letters, as generated', letters, fernet],
  ['a Fernet key', `${fernet}\n`, fernet],
  ['a new and an old one', `${letters},${fernet}`, `${fernet},${fernet}`],
])('a Fernet key, from %s', (_name, secret, key) => {
  expect(expand({ key: fernetTemplate('secret') }, { secret })).toEqual({ key });
});

test.each([['LINE\r\nLINE\r\n'], ['LINE\nLINE'], ['\nLINE\nLINE\n\n']])('a private key, from %j', (secret) => {
  expect(expand({ key: privateKeyTemplate('secret') }, { secret })).toEqual({ key: 'LINE\nLINE\n' });
});
