import { Stack } from 'aws-cdk-lib';
import { Construct, IDependable } from 'constructs';
import { SecretsManagerSource } from './airflow-secret';
import { SecretKey } from './secret-key';
import { Cluster } from '../cluster';
import { ExternalSecretsInstallation } from '../external-secrets';
import { applyManifest, KubernetesObject, serviceAccountRole } from '../kubernetes';
import { fail } from '../validation';
import { EXTERNAL_SECRETS_API } from '../versions';

interface ExternalSecretsManifestProps {
  readonly cluster: Cluster;
  /** The name of the namespace, and the manifest that creates it. */
  readonly namespace: string;
  readonly namespaceManifest: IDependable;
  readonly keys: SecretKey[];
  readonly installation?: ExternalSecretsInstallation;
}

type WrittenKey = Required<SecretKey>;

/**
 * Lets the External Secrets operator write Kubernetes Secrets, with a role that can read exactly the secrets that they contain.
 *
 * @returns the manifest, unless all keys already exist
 */
export function externalSecretsManifest(scope: Construct, props: ExternalSecretsManifestProps): Construct | undefined {
  const { cluster, namespace } = props;
  const keys = props.keys.filter((key): key is WrittenKey => key.content !== undefined);
  if (keys.length === 0) {
    return undefined;
  }
  const name = `${namespace}-external-secrets`;
  const role = serviceAccountRole(scope, 'Role', {
    cluster,
    namespace,
    serviceAccount: name,
    description: `Reads the secrets of the Airflow deployment '${namespace}'`,
  });
  for (const { secret } of new Set(keys.flatMap(({ content }) => content.secrets))) {
    secret.grantRead(role);
  }
  const object = (apiVersion: string, kind: string, objectName: string, { metadata, ...rest }: KubernetesObject) =>
    ({ apiVersion, kind, metadata: { name: objectName, namespace, ...metadata }, ...rest });
  const manifest = applyManifest(scope, 'Manifest', cluster, [
    object('v1', 'ServiceAccount', name, { metadata: { annotations: { 'eks.amazonaws.com/role-arn': role.roleArn } } }),
    object(EXTERNAL_SECRETS_API, 'SecretStore', name, {
      spec: {
        provider: {
          aws: { service: 'SecretsManager', region: Stack.of(scope).region, auth: { jwt: { serviceAccountRef: { name } } } },
        },
      },
    }),
    ...[...new Set(keys.map((key) => key.name))].map((secretName) =>
      object(EXTERNAL_SECRETS_API, 'ExternalSecret', secretName, {
        spec: {
          secretStoreRef: { kind: 'SecretStore', name },
          ...externalSecretSpec(scope, secretName, keys.filter((key) => key.name === secretName)),
        },
      })),
  ]);
  manifest.node.addDependency(props.namespaceManifest, role.node.findChild('DefaultPolicy'));
  // Must exist before the first object of its kinds, and on deletion removes the finalizers of the last one.
  manifest.node.addDependency(...(props.installation ?? ExternalSecretsInstallation.onAnyNode())._bind(cluster));
  return manifest;
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
    refreshInterval: '1h',
    target: { name, template: { engineVersion: 'v2', data } },
    data: [...variables].map(([{ secret, field }, secretKey]) => ({
      secretKey,
      remoteRef: { key: secret.secretFullArn ?? secret.secretName, property: field },
    })),
  };
}
