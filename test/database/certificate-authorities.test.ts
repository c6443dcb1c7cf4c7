import { X509Certificate } from 'crypto';
import { App, Stack } from 'aws-cdk-lib';
import { asset } from '../../src/assets';
import { rdsAuthorities } from '../../src/database/certificate-authorities';
import { newStack } from '../util';

const count = (pem: string) => pem.match(/BEGIN CERTIFICATE/g)!.length;

test('defaults: those of the Region, or of all Regions if only CloudFormation knows it', () => {
  expect(count(rdsAuthorities(newStack()))).toBe(3);
  expect(count(rdsAuthorities(new Stack(new App(), 'Agnostic')))).toBeGreaterThan(75);
});

test('custom: with one algorithm', () => {
  expect(count(rdsAuthorities(newStack(), 'RSA2048'))).toBe(1);
  const all = rdsAuthorities(new Stack(new App(), 'Agnostic'), 'RSA2048');
  expect(count(all)).toBe(count(rdsAuthorities(new Stack(new App(), 'All'))) / 3);
  expect(all.length).toBeLessThan(50_000); // a manifest is a property of a custom resource
});

test('the file contains what Amazon RDS signs with: per Region, an authority for each algorithm', () => {
  const subjects = asset('rds-authorities.pem').match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)!.map((pem) => {
    const { subject, issuer, ca } = new X509Certificate(pem);
    expect([issuer, ca]).toEqual([subject, true]);
    return /CN=Amazon RDS ([a-z]+-[a-z]+-\d) Root CA (RSA2048|RSA4096|ECC384) G1$/m.exec(subject)!.slice(1).join();
  });
  const regions = [...new Set(subjects.map((subject) => subject.split(',')[0]))];
  expect(subjects.sort()).toEqual(regions.flatMap((region) => ['ECC384', 'RSA2048', 'RSA4096'].map((algorithm) => `${region},${algorithm}`)).sort());
});

test.each([
  ['cn-north-1', 'https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/cn-north-1/cn-north-1-bundle.pem'],
  ['us-gov-east-1', 'https://truststore.pki.us-gov-west-1.rds.amazonaws.com/us-gov-east-1/us-gov-east-1-bundle.pem'],
  ['xx-new-1', 'https://truststore.pki.rds.amazonaws.com/xx-new-1/xx-new-1-bundle.pem'],
])('fails when the Region is not known, with the address of its bundle: %s', (region, url) => {
  expect(() => rdsAuthorities(new Stack(new App(), 'Other', { env: { region } }))).toThrow(new Error(
    `Other: 'database.certificateAuthorities' is required in ${region}, whose certificates the library does not have; read them from the file ${url}`));
});
