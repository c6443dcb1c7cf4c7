import { Construct } from 'constructs';
import { fixedKey } from '../../secrets/secret-key';
import { flowerTemplate } from '../../secrets/templates';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { SMALL_CONTAINERS } from '../resources';

/** The broker of the Celery workers, and Flower. */
export function celery(scope: Construct, { name, secrets, broker }: AirflowSettings): ChartPart {
  const flower = secrets.flowerPassword
    && fixedKey(scope, 'secrets.flowerPassword', { name: `${name}-flower`, key: 'basicAuth' }, secrets.flowerPassword, flowerTemplate);
  return {
    values: {
      data: { brokerUrlSecretName: broker?.url.name ?? `${name}-broker-url` }, // the chart would create a Secret also without a broker
      redis: { enabled: false },
      flower: flower ? { enabled: true, secretName: flower.name, resources: SMALL_CONTAINERS.flower } : { enabled: false },
    },
    keys: flower && [flower],
  };
}
