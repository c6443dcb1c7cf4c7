import { Construct } from 'constructs';
import { fixedReplicas } from './autoscaling';
import { placed } from './placement';
import { SLOW_START } from './probes';
import { BrokerSettings } from '../../broker/airflow-broker';
import { acrossZones, NOT_EVICTED } from '../../nodes/placement';
import { copiedKey, userSecretName } from '../../secrets/secret-key';
import { flowerTemplate } from '../../secrets/templates';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { EnvVar, fromSecret } from '../environment';
import { SMALL_CONTAINERS } from '../resources';

/** The Celery workers, and Flower. */
export function celery(scope: Construct, settings: AirflowSettings): ChartPart {
  const { name, secrets, broker } = settings;
  const flower = secrets.flowerPassword && copiedKey(
    scope, 'secrets.flowerPassword', { name: userSecretName(name), key: 'flower-basic-auth' }, secrets.flowerPassword, flowerTemplate,
  );
  return {
    values: {
      workers: broker ? celeryWorkers(settings) : { enabled: false },
      flower: flower
        ? { enabled: true, basicAuthSecret: flower.name, basicAuthSecretKey: flower.key, resources: SMALL_CONTAINERS.flower, ...SLOW_START }
        : { enabled: false },
      redis: { enabled: false },
    },
    keys: flower && [flower],
  };
}

/** The URL of the broker, for Airflow and for the chart's probes, which read only the command. */
export function brokerEnvironment({ url }: BrokerSettings): EnvVar[] {
  return [
    fromSecret('AIRFLOW__CELERY__BROKER_URL', url),
    { name: 'AIRFLOW__CELERY__BROKER_URL_CMD', value: 'printf %s "$AIRFLOW__CELERY__BROKER_URL"' },
  ];
}

function celeryWorkers({ name, placement, workers }: AirflowSettings): Values {
  const cleanUpSeconds = 60;
  return {
    enabled: true,
    replicas: fixedReplicas(workers),
    resources: workers.resources,
    ...placed(placement.workers),
    topologySpreadConstraints: acrossZones({ app: 'airflow', component: 'worker', release: name }),
    podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
    podAnnotations: NOT_EVICTED,
    safeToEvict: false, // otherwise the chart adds its own annotation
    celery: { gracefullTermination: true, gracefullTerminationPeriod: workers.terminationGraceSeconds - cleanUpSeconds },
    terminationPeriod: cleanUpSeconds,
    logCleanup: { enabled: false },
    autoscaling: { enabled: false },
  };
}
