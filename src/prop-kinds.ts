import { Construct } from 'constructs';
import { checkList, fail, shown } from './validation';

/** Props whose value a class of the library makes, and an example. */
const CLASSES: Record<string, string> = {
  chart: 'AirflowChart.official()',
  nodePools: 'AirflowNodePools.managedNodeGroups()',
  database: 'AirflowDatabase.inCluster()',
  pgBouncer: 'PgBouncer.enabled()',
  broker: 'CeleryBroker.inCluster()',
  logs: 'AirflowLogs.onFileSystem()',
  image: "AirflowImage.fromRegistry('apache/airflow', '3.3.2')",
  efsCsiDriver: 'EfsCsiDriverInstallation.existing()',
  externalSecrets: 'ExternalSecretsInstallation.existing()',
  keda: 'KedaInstallation.existing()',
  secretsBackend: "SecretsBackend.secretsManager('airflow')",
};

const LISTS = ['users', 'connections', 'variables', 'pools', 'pipPackages', 'removedHelmValues'];

const MAPS = [
  'apiServer', 'scheduler', 'dagProcessor', 'triggerer', 'workers', 'gitSync', 'persistence', 'secrets', 'config', 'environment', 'environmentSecrets',
  'databaseCleanup', 'ingress', 'helmValues',
];

/**
 * Fails if a prop has a value of another kind: nothing checks the types of an app in JavaScript.
 *
 * An instance is recognized by its internal method, because an app may contain two copies of the library.
 */
export function checkKinds(scope: Construct, props: object): void {
  for (const [prop, value] of Object.entries(props).filter(([, given]) => given !== undefined)) {
    if (CLASSES[prop] && typeof value?._bind !== 'function' && value?._definition === undefined) {
      fail(scope, `'${prop}' must be made by a method such as ${CLASSES[prop]}, got ${shown(value)}`);
    }
    if (LISTS.includes(prop)) {
      checkList(scope, prop, value);
    }
    if (prop === 'ingress' && value !== null) {
      Object.entries(value).filter(([name, list]) => ['listenerPorts', 'inboundCidrs'].includes(name) && list !== undefined)
        .forEach(([name, list]) => checkList(scope, `ingress.${name}`, list));
    }
    if (MAPS.includes(prop) && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      fail(scope, `'${prop}' must be an object with names and values, got ${shown(value)}`);
    }
  }
}
