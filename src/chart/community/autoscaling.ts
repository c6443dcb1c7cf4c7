import { ResourceAutoscaling } from '../../autoscaling';
import { ComponentSettings } from '../../component';
import { KubernetesObject } from '../../kubernetes';
import { AirflowSettings } from '../chart-definition';

/** The number of pods, unless an autoscaler owns it: Helm 3 would reset it with each upgrade. The chart then renders null, which Helm 4 cannot apply. */
export function fixedReplicas({ replicas, autoscaling }: ComponentSettings): number | null {
  return autoscaling ? null : replicas;
}

/** The autoscalers. The chart has none for the web server, and its own for workers would take its minimum from the number of replicas, which must be empty. */
export function autoscalers({ name, broker, apiServer, workers }: AirflowSettings): KubernetesObject[] {
  return [
    ...apiServer.autoscaling?.on === 'resource' ? [autoscaler(name, 'web', 'Deployment', apiServer.autoscaling)] : [],
    ...broker && workers.autoscaling?.on === 'resource' ? [autoscaler(name, 'worker', 'StatefulSet', workers.autoscaling)] : [],
  ];
}

function autoscaler(release: string, component: string, kind: string, autoscaling: ResourceAutoscaling): KubernetesObject {
  const { minReplicas, maxReplicas, metrics, behavior } = autoscaling;
  const name = `${release}-${component}`;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, labels: { app: 'airflow', component, release } },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind, name }, minReplicas, maxReplicas, metrics, behavior },
  };
}
