import { readFileSync } from 'fs';
import * as cdk from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as efs from 'aws-cdk-lib/aws-efs';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as ts from 'typescript';
import { importedCluster } from './util';
import * as airflow from '../src';

/** What the examples declare, by its type. */
const DECLARED: Record<string, (stack: cdk.Stack, name: string) => unknown> = {
  'eks.ICluster': importedCluster,
  'secretsmanager.ISecret': (stack, name) => secretsmanager.Secret.fromSecretNameV2(stack, name, name),
  'acm.ICertificate': (stack, name) => acm.Certificate.fromCertificateArn(stack, name, `arn:aws:acm:${stack.region}:${stack.account}:certificate/1`),
  's3.Bucket': (stack, name) => new s3.Bucket(stack, name),
  'efs.IFileSystem': (stack, name) => efs.FileSystem.fromFileSystemAttributes(stack, name, {
    fileSystemId: 'fs-1', securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, `${name}Group`, 'sg-2'),
  }),
  'string': () => 'import os',
};

/** The examples in TypeScript that create a deployment, by their props. */
export function readmeExamples(): [props: string, code: string][] {
  return [...readFileSync('README.md', 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code).filter((code) => code.includes('new AirflowOnEks('))
    .map((code) => [[...code.matchAll(/^ {2}(\w+)[:,]/gm)].map(([, prop]) => prop).join(', '), code]);
}

/** Runs an example in a stack. */
export function runExample(code: string, stack: cdk.Stack): void {
  const declared = [...code.matchAll(/^declare const (\w+): ([\w.]+);/gm)].map(([, name, type]) => [name, DECLARED[type](stack, name)]);
  const names = { ...cdk, ...airflow, acm, ec2, efs, eks, s3, secretsmanager, ...Object.fromEntries(declared) };
  const program = ts.transpileModule(code, { compilerOptions: { target: ts.ScriptTarget.ES2020 } }).outputText;
  new Function(...Object.keys(names), program).call(stack, ...Object.values(names));
}
