import { Construct } from 'constructs';
import { placed } from './placement';
import { acrossZones } from '../../nodes/placement';
import { copiedKey } from '../../secrets/secret-key';
import { flowerTemplate } from '../../secrets/templates';
import { REDIS_IMAGE } from '../../versions';
import { AutoscalingSettings } from '../../workers';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { userSecretName } from '../user-keys';

/** The Celery workers, their broker, and Flower. */
export function celery(scope: Construct, settings: AirflowSettings): ChartPart {
  const { name, secrets, placement } = settings;
  if (!secrets.celery) {
    return { values: { workers: { enabled: false }, flower: { enabled: false }, redis: { enabled: false } } };
  }
  const { brokerPassword, flowerPassword } = secrets.celery;
  const target = (key: string) => ({ name: userSecretName(name), key });
  const broker = copiedKey(scope, 'secrets.brokerPassword', target('redis-password'), brokerPassword);
  const flower = copiedKey(scope, 'secrets.flowerPassword', target('flower-basic-auth'), flowerPassword, flowerTemplate);
  return {
    values: {
      workers: celeryWorkers(settings),
      flower: { enabled: true, basicAuthSecret: flower.name, basicAuthSecretKey: flower.key },
      redis: {
        enabled: true,
        image: REDIS_IMAGE,
        password: '',
        existingSecret: broker.name,
        existingSecretPasswordKey: broker.key,
        master: { ...placed(placement.database), command: '' }, // the chart's default command exists only in images of Bitnami
      },
    },
    keys: [broker, flower],
  };
}

function celeryWorkers({ name, placement, workers }: AirflowSettings): Values {
  const cleanUpSeconds = 60;
  return {
    enabled: true,
    // The autoscaler owns the number, which Helm 3 would reset with each upgrade. The chart then renders null, which Helm 4 cannot apply.
    replicas: workers.autoscaling ? null : workers.replicas,
    resources: workers.resources,
    ...placed(placement.workers),
    topologySpreadConstraints: acrossZones({ app: 'airflow', component: 'worker', release: name }),
    podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
    safeToEvict: false,
    celery: { gracefullTermination: true, gracefullTerminationPeriod: workers.terminationGraceSeconds - cleanUpSeconds },
    terminationPeriod: cleanUpSeconds,
    logCleanup: { enabled: false },
    autoscaling: { enabled: false },
  };
}

/** The autoscaler of the workers. The chart's own would take its minimum from the number of replicas, which must be empty. */
export function autoscaler(name: string, { minReplicas, maxReplicas, metrics, behavior }: AutoscalingSettings): Values {
  const worker = `${name}-worker`;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: worker, labels: { app: 'airflow', component: 'worker', release: name } },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: worker }, minReplicas, maxReplicas, metrics, behavior },
  };
}
