import { Construct } from 'constructs';
import { Generation } from './generation';
import { fixedKey, SecretKey } from '../../secrets/secret-key';
import { fernetTemplate } from '../../secrets/templates';
import { AirflowSettings, ChartPart } from '../chart-definition';

/** The keys of Airflow, by the environment variable from which Airflow reads each. */
export type AirflowKeys = Record<string, SecretKey>;

/** The keys of Airflow, each in a Kubernetes Secret of its own. */
export function airflowKeys(scope: Construct, { name, secrets }: AirflowSettings, { sessionKey }: Generation): AirflowKeys {
  const target = (key: string) => ({ name: `${name}-${key}`, key });
  return {
    AIRFLOW__CORE__FERNET_KEY: fixedKey(scope, 'secrets.fernetKey', target('fernet-key'), secrets.fernetKey, fernetTemplate),
    [sessionKey.variable]: fixedKey(scope, 'secrets.apiSecretKey', target(sessionKey.key), secrets.apiSecretKey),
    ...secrets.jwtSecret && { AIRFLOW__API_AUTH__JWT_SECRET: fixedKey(scope, 'secrets.jwtSecret', target('jwt-secret'), secrets.jwtSecret) },
  };
}

/**
 * Tells the chart where the keys are. It would generate new ones with each upgrade, or once per installation, which would end sessions, break
 * running tasks, and make a retained database unreadable.
 */
export function keyValues(keys: AirflowKeys, { sessionKey }: Generation): ChartPart {
  const jwtSecret = keys.AIRFLOW__API_AUTH__JWT_SECRET;
  return {
    values: {
      fernetKeySecretName: keys.AIRFLOW__CORE__FERNET_KEY.name,
      [sessionKey.value]: keys[sessionKey.variable].name,
      ...jwtSecret && { jwtSecretName: jwtSecret.name },
    },
    keys: Object.values(keys),
  };
}
