/** Every combination of a chart, an executor, and the parts that hold the data of a deployment. */
import { Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CHARTS_UNDER_TEST, ChartUnderTest, remoteSecret } from './util';
import { AirflowDatabase, AirflowExecutor, AirflowLogs, AirflowOnEksProps, CeleryBroker } from '../src';

export const DATABASES: Record<string, (stack: Stack) => AirflowDatabase> = {
  'in the cluster': () => AirflowDatabase.inCluster(),
  'Aurora': () => AirflowDatabase.aurora(),
  'RDS': () => AirflowDatabase.rds(),
  'an endpoint': (stack) => AirflowDatabase.fromEndpoint({ host: 'db.example.com', credentials: Secret.fromSecretNameV2(stack, 'Database', 'database') }),
};

export const BROKERS: Record<string, (stack: Stack) => CeleryBroker | undefined> = {
  'no broker': () => undefined,
  'Valkey': () => CeleryBroker.inCluster(),
  'ElastiCache': () => CeleryBroker.elastiCache(),
  'a URL': (stack) => CeleryBroker.fromUrl(remoteSecret(stack, 'broker', 'url')),
};

export const LOGS: Record<string, () => AirflowLogs> = {
  'the file system': () => AirflowLogs.onFileSystem(),
  'a bucket': () => AirflowLogs.inBucket(),
};

const { CELERY, CELERY_KUBERNETES, KUBERNETES, LOCAL } = AirflowExecutor;
const CELERY_WORKERS = [CELERY, CELERY_KUBERNETES];

export interface Combination {
  readonly name: string;
  readonly chart: ChartUnderTest;
  readonly executor: AirflowExecutor;
  readonly database: string;
  readonly broker: string;
  readonly logs: string;
}

export function propsOf({ chart, executor, database, broker, logs }: Combination, stack: Stack): Partial<AirflowOnEksProps> {
  return { chart: chart.chart(), executor, database: DATABASES[database](stack), broker: BROKERS[broker](stack), logs: LOGS[logs]() };
}

/** Why a combination makes no sense. */
export function refusalOf({ chart, executor, broker }: Combination): string | undefined {
  if (executor === LOCAL && chart.name === 'community') {
    return "'executor' must be one of the community chart, got AirflowExecutor.LOCAL; use another executor, or AirflowChart.official()";
  }
  return CELERY_WORKERS.includes(executor) || broker === 'no broker' ? undefined
    : `'broker' must not be set with AirflowExecutor.${executor === LOCAL ? 'LOCAL' : 'KUBERNETES'}, which has no broker; remove it, or use another executor`;
}

/** With Celery workers, no broker is the default, which is Valkey. */
export const COMBINATIONS: Combination[] = CHARTS_UNDER_TEST.flatMap((chart) => [CELERY, CELERY_KUBERNETES, KUBERNETES, LOCAL]
  .flatMap((executor) => Object.keys(DATABASES).flatMap((database) => Object.keys(BROKERS).flatMap((broker) => Object.keys(LOGS)
    .map((logs) => ({ name: [chart.name, executor, database, broker, logs].join(', '), chart, executor, database, broker, logs }))))))
  .filter(({ executor, broker }) => !(CELERY_WORKERS.includes(executor) && broker === 'no broker'));

const DIMENSIONS = ['chart', 'executor', 'database', 'broker', 'logs'] as const;

/** The pairs of values that a combination contains. */
export function pairsOf(combination: Combination): string[] {
  const values = DIMENSIONS.map((dimension) => dimension === 'chart' ? combination.chart.name : combination[dimension]);
  return values.flatMap((one, index) => values.slice(index + 1).map((other, offset) => `${index}: ${one}, ${index + 1 + offset}: ${other}`));
}

/** A few of the combinations that make sense, which contain each pair of values that any of these contains. */
export function pairwise(): Combination[] {
  const sensible = COMBINATIONS.filter((combination) => !refusalOf(combination));
  const missing = new Set(sensible.flatMap(pairsOf));
  const chosen: Combination[] = [];
  while (missing.size > 0) {
    const gain = (combination: Combination) => pairsOf(combination).filter((pair) => missing.has(pair)).length;
    const best = sensible.reduce((one, other) => gain(other) > gain(one) ? other : one);
    pairsOf(best).forEach((pair) => missing.delete(pair));
    chosen.push(best);
  }
  return chosen;
}
