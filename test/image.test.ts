import { writeFileSync } from 'fs';
import { join } from 'path';
import * as ecr from 'aws-cdk-lib/aws-ecr';
import * as assets from 'aws-cdk-lib/aws-ecr-assets';
import { synthAirflow, synthCommunity, temporaryFolder, valuesOf } from './util';
import { AirflowChart, AirflowImage } from '../src';

const imageOf = (image?: AirflowImage) => valuesOf(synthCommunity({ image }).template).airflow.image;

test('defaults', () => {
  expect(imageOf()).toMatchObject({ repository: 'apache/airflow', tag: '2.8.4-python3.9', pullPolicy: 'IfNotPresent' });
  expect(valuesOf(synthCommunity({ chart: AirflowChart.community({ airflowVersion: '2.7.3' }) }).template).airflow.image.tag).toBe('2.7.3-python3.9');
});

test('defaults: the official chart', () => {
  const values = valuesOf(synthAirflow().template);
  expect([values.defaultAirflowRepository, values.defaultAirflowTag, values.airflowVersion]).toEqual(['apache/airflow', '3.3.2', '3.3.2']);
});

test('from a registry', () => {
  expect(imageOf(AirflowImage.fromRegistry('quay.io/example/airflow', '2.8.4-1'))).toMatchObject({ repository: 'quay.io/example/airflow', tag: '2.8.4-1' });
});

test('by its digest, which Kubernetes and Airflow read after the repository', () => {
  const digest = 'sha256:' + '0a'.repeat(32);
  const image = AirflowImage.fromRegistry('quay.io/example/airflow', digest);
  const { defaultAirflowRepository, defaultAirflowTag, dagProcessor } = valuesOf(synthAirflow({ image }).template);
  expect(`${defaultAirflowRepository}:${defaultAirflowTag}`).toBe(`quay.io/example/airflow@${digest}`);
  expect(dagProcessor.extraContainers[0].image).toBe(`quay.io/example/airflow@${digest}`);
  expect(imageOf(image)).toMatchObject({ repository: 'quay.io/example/airflow@sha256', tag: '0a'.repeat(32) });
});

test('from Amazon ECR', () => {
  const { template } = synthCommunity((stack) => ({ image: AirflowImage.fromEcrRepository(ecr.Repository.fromRepositoryName(stack, 'Repository', 'airflow'), 'v1') }));
  expect(valuesOf(template).airflow.image).toMatchObject({ repository: '123456789012.dkr.ecr.eu-central-1.<AWS::URLSuffix>/airflow', tag: 'v1' });
});

test('from a Dockerfile', () => {
  const directory = temporaryFolder();
  writeFileSync(join(directory, 'Dockerfile'), 'FROM apache/airflow:2.8.4\n');
  const { airflow, template } = synthCommunity({ image: AirflowImage.fromAsset(directory, { platform: assets.Platform.LINUX_ARM64 }) });
  const asset = airflow.node.findChild('Image') as assets.DockerImageAsset;
  expect(valuesOf(template).airflow.image.tag).toBe(asset.imageTag);
  expect(valuesOf(template).airflow.image.repository).toContain('container-assets');
});

test.each(['latest', ''])("fails when the tag is '%s'", (tag) => {
  expect(() => imageOf(AirflowImage.fromRegistry('apache/airflow', tag))).toThrow(new Error(
    `Data/Airflow: 'image' must have a tag that identifies one version, got '${tag}'; use a tag such as '3.3.2'`));
});

test('fails when a digest is not complete', () => {
  expect(() => imageOf(AirflowImage.fromRegistry('apache/airflow', 'sha256:0a'))).toThrow(new Error(
    "Data/Airflow: 'image' must be a digest of 'sha256:' and 64 hexadecimal digits, got 'sha256:0a'"));
});
