import { Construct } from 'constructs';
import { celery } from './celery';
import { components } from './components';
import { database } from './database';
import { airflowEnvironment, environmentValues } from './environment';
import { baseUrlOf, Generation } from './generation';
import { gitSync } from './git-sync';
import { airflowKeys, keyValues } from './keys';
import { placed } from './placement';
import { usersAndPools } from './users-and-pools';
import { AirflowExecutor } from '../../executor';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { combine } from '../helm-values';

/** The values of the official chart. */
export function officialValues(scope: Construct, settings: AirflowSettings, airflowVersion: string, generation: Generation): Required<ChartPart> {
  const keys = airflowKeys(scope, settings, generation);
  const environment = airflowEnvironment(scope, settings, generation, keys);
  return combine([
    release(settings, airflowVersion, generation),
    keyValues(keys, generation),
    environmentValues(environment),
    components(settings, generation),
    celery(scope, settings),
    database(scope, settings),
    gitSync(scope, settings, generation),
    usersAndPools(scope, settings, environment, keys),
  ]);
}

/** What concerns the release as a whole. */
function release(settings: AirflowSettings, airflowVersion: string, generation: Generation): ChartPart {
  const { executor, image, placement, workers, claims } = settings;
  const { baseUrl, celeryKubernetesExecutor } = generation;
  const url = baseUrlOf(settings, generation);
  return {
    values: {
      airflowVersion,
      defaultAirflowRepository: image.repository,
      defaultAirflowTag: image.tag,
      images: { migrationsWaitTimeout: 300 }, // for new nodes and a new database
      executor: executor === AirflowExecutor.CELERY_KUBERNETES ? celeryKubernetesExecutor : executor,
      ...placed(placement.stateless), // all pods that have no placement of their own
      config: {
        ...workers.defaultTaskRetries === undefined ? {} : { core: { default_task_retries: workers.defaultTaskRetries } },
        ...workers.concurrency === undefined ? {} : { celery: { worker_concurrency: workers.concurrency } },
        ...url === undefined ? {} : { [baseUrl.section]: { base_url: url } }, // the chart takes its path from there
      },
      logs: { persistence: claims.logs ? { enabled: true, existingClaim: claims.logs } : { enabled: false } },
    },
  };
}
