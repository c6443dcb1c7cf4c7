import { Construct } from 'constructs';
import { placed } from './placement';
import { composedKey, fixedKey } from '../../secrets/secret-key';
import { flowerTemplate, inUrl } from '../../secrets/templates';
import { imageOf, REDIS_IMAGE } from '../../versions';
import { AirflowSettings, ChartPart } from '../chart-definition';

/** The broker of the Celery workers, and Flower. */
export function celery(scope: Construct, { name, secrets, placement }: AirflowSettings): ChartPart {
  // The name is set also without a broker, for which the chart would create a Secret.
  const brokerUrlSecretName = `${name}-broker-url`;
  if (!secrets.celery) {
    return { values: { redis: { enabled: false }, flower: { enabled: false }, data: { brokerUrlSecretName } } };
  }
  const { brokerPassword, flowerPassword } = secrets.celery;
  const url = composedKey(scope, { name: brokerUrlSecretName, key: 'connection' }, { 'secrets.brokerPassword': brokerPassword },
    (variable) => `redis://:${inUrl(variable)}@${name}-redis:6379/0`);
  const password = fixedKey(scope, 'secrets.brokerPassword', { name: `${name}-redis-password`, key: 'password' }, brokerPassword);
  const flower = fixedKey(scope, 'secrets.flowerPassword', { name: `${name}-flower`, key: 'basicAuth' }, flowerPassword, flowerTemplate);
  return {
    values: {
      data: { brokerUrlSecretName },
      images: { redis: imageOf(REDIS_IMAGE) },
      redis: {
        enabled: true,
        ...placed(placement.database),
        passwordSecretName: password.name,
        persistence: { enabled: false }, // otherwise it waits for a default storage class, which new clusters do not have
        securityContexts: { pod: { runAsUser: 999, runAsGroup: 999, fsGroup: 999 } }, // the user of the image instead of root
      },
      flower: { enabled: true, secretName: flower.name },
    },
    keys: [url, password, flower],
  };
}
