import { App, Stack } from 'aws-cdk-lib';
import { rdsAuthorities } from '../../src/database/certificate-authorities';
import { newStack } from '../util';

const count = (pem: string) => pem.match(/BEGIN CERTIFICATE/g)!.length;

test('defaults: those of the Region, or of all Regions if only CloudFormation knows it', () => {
  expect(count(rdsAuthorities(newStack()))).toBe(3);
  expect(count(rdsAuthorities(new Stack(new App(), 'Agnostic')))).toBeGreaterThan(75);
});

test('fails when the Region is not known', () => {
  expect(() => rdsAuthorities(new Stack(new App(), 'China', { env: { region: 'cn-north-1' } }))).toThrow(new Error(
    "China: 'database.certificateAuthorities' is required in cn-north-1, whose certificates the library does not have; read them from the file"
    + ' https://truststore.pki.rds.amazonaws.com/cn-north-1/cn-north-1-bundle.pem'));
});
