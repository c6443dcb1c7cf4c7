import { Duration, Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { SecretsManagerSource } from './airflow-secret';
import { SecretKey } from './secret-key';
import { grantReadSecret } from '../access';
import { Cluster } from '../cluster';
import { ExternalSecretsInstallation } from '../external-secrets';
import { applyManifest, KubernetesObject, readObject, revisionOf, serviceAccountRole } from '../kubernetes';
import { checkEnvironment, fail } from '../validation';
import { EXTERNAL_SECRETS_API } from '../versions';

interface ExternalSecretsManifestProps {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly namespaceManifest: IDependable;
  readonly keys: SecretKey[];
  readonly installation?: ExternalSecretsInstallation;
}

type WrittenKey = SecretKey & Required<Pick<SecretKey, 'content'>>;

interface ExternalSecretsManifest {
  /** The release of the operator, if the deployment installs it. */
  readonly operator: Construct[];
  /** What pods must wait for. */
  readonly synchronized: Construct[];
}

/**
 * Lets the External Secrets operator write Kubernetes Secrets, with a role that can read exactly the secrets that they contain.
 *
 * It does nothing if all keys already exist.
 */
export function externalSecretsManifest(scope: Construct, props: ExternalSecretsManifestProps): ExternalSecretsManifest {
  const { cluster, namespace } = props;
  const keys = props.keys.filter((key): key is WrittenKey => key.content !== undefined);
  if (keys.length === 0) {
    return { operator: [], synchronized: [] };
  }
  const name = `${namespace}-external-secrets`;
  const names = [...new Set(keys.map((key) => key.name))];
  const role = serviceAccountRole(scope, 'Role', {
    cluster,
    namespace,
    serviceAccount: name,
    description: `Reads the secrets of the Airflow deployment '${namespace}'`,
  });
  const secrets = new Set(keys.flatMap(({ content }) => content.secrets.map(({ secret }) => secret)));
  secrets.forEach((secret) => checkEnvironment(scope.node.scope ?? scope, `AirflowSecret.fromSecretsManager(${secret.node.path})`, secret));
  const grants = [...secrets].map((secret) => grantReadSecret(role, secret));
  const object = (apiVersion: string, kind: string, objectName: string, { metadata, ...rest }: KubernetesObject) =>
    ({ apiVersion, kind, metadata: { name: objectName, namespace, ...metadata }, ...rest });
  const specs = new Map(names.map((secretName) => [secretName, {
    secretStoreRef: { kind: 'SecretStore', name },
    ...externalSecretSpec(scope, secretName, keys.filter((key) => key.name === secretName)),
  }]));
  const manifest = applyManifest(scope, 'Manifest', cluster, [
    object('v1', 'ServiceAccount', name, { metadata: { annotations: { 'eks.amazonaws.com/role-arn': role.roleArn } } }),
    object(EXTERNAL_SECRETS_API, 'SecretStore', name, {
      spec: {
        provider: {
          aws: { service: 'SecretsManager', region: Stack.of(scope).region, auth: { jwt: { serviceAccountRef: { name } } } },
        },
      },
    }),
    ...[...specs].map(([secretName, spec]) => object(EXTERNAL_SECRETS_API, 'ExternalSecret', secretName, { spec })),
  ], { overwrite: true });
  const operator = (props.installation ?? ExternalSecretsInstallation.onAnyNode())._bind(cluster);
  manifest.node.addDependency(props.namespaceManifest, ...operator);
  grants.forEach((grant) => grant.applyBefore(manifest)); // in as many policies as they need
  // The secrets that this stack generates always exist. Of any other one the value, a field or the permission to read it may be missing.
  const foreign = keys.filter(({ content }) => content.secrets.some(({ secret }) => secret.node.scope !== scope)).map((key) => key.name);
  // Each is waited for in a resource that names it: pods that lack a secret would only be not ready, after a longer time.
  const synchronized = names.filter((secretName) => foreign.includes(secretName)).map((secretName) =>
    readObject(scope, `Synchronized-${secretName}`, cluster, {
      objectType: 'externalsecrets.external-secrets.io',
      objectName: secretName,
      objectNamespace: namespace,
      jsonPath: '.status.conditions[?(@.reason=="SecretSynced")].status',
      timeout: Duration.minutes(3),
    }, revisionOf(scope, specs.get(secretName))));
  synchronized.forEach((each) => each.node.addDependency(manifest));
  return { operator: operator.map(({ _release }) => _release), synchronized: [manifest, ...synchronized] };
}

function externalSecretSpec(scope: Construct, name: string, keys: WrittenKey[]): KubernetesObject {
  const variables = new Map<SecretsManagerSource, string>();
  keys.flatMap(({ content }) => content.secrets).forEach((source) => variables.set(source, variables.get(source) ?? `secret${variables.size}`));
  const data: Record<string, string> = {};
  for (const { key, content } of keys) {
    const template = content.template(...content.secrets.map((source) => variables.get(source)!));
    if ((data[key] ?? template) !== template) {
      fail(scope.node.scope ?? scope, `the key '${key}' of the Kubernetes Secret '${name}' has two values; rename one of the user, the connection or the environment secret`);
    }
    data[key] = template;
  }
  return {
    refreshInterval: keys.some(({ rotated }) => rotated) ? '1m' : '1h',
    target: { name, template: { engineVersion: 'v2', data } },
    data: [...variables].map(([{ secret, field }, secretKey]) => ({
      secretKey,
      remoteRef: { key: secret.secretFullArn ?? secret.secretName, property: field },
    })),
  };
}
