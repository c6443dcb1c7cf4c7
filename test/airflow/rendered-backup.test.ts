/** Keeps `rendered/backup.yaml`, the pod that backs up the in-cluster database. With UPDATE_RENDERED, it is written. */
import { readFileSync, writeFileSync } from 'fs';
import { join } from 'path';
import * as YAML from 'yaml';
import { AirflowDatabase } from '../../src';
import { objectsOf, synthAirflow } from '../util';

const FILE = join(__dirname, 'rendered', 'backup.yaml');

test('the rendered pod is what the library creates', () => {
  const { template } = synthAirflow({ database: AirflowDatabase.inCluster({ backup: {} }) });
  const cronJob = objectsOf(template, 'CronJob').find(({ metadata }) => metadata.name === 'airflow-database-backup')!;
  const { securityContext, initContainers } = cronJob.spec.jobTemplate.spec.template.spec;
  const text = YAML.stringify({ securityContext, initContainers }, { version: '1.1', lineWidth: 0, sortMapEntries: true });
  if (process.env.UPDATE_RENDERED) {
    writeFileSync(FILE, text);
  }
  expect(readFileSync(FILE, 'utf8')).toEqual(text);
});
