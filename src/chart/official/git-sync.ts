import { Construct } from 'constructs';
import { Generation } from './generation';
import { envVar, verbatim } from './text';
import { GitCredentials } from '../../git-sync/git-auth';
import { DAG_REFRESH_SECONDS, gitSyncEnvironment } from '../../git-sync/git-sync';
import { composedKey, fixedKey } from '../../secrets/secret-key';
import { privateKeyTemplate } from '../../secrets/templates';
import { GIT_SYNC_IMAGE, imageOf } from '../../versions';
import { AirflowSettings, ChartPart, Values } from '../chart-definition';
import { SMALL_CONTAINERS } from '../resources';

/** The DAGs of a Git repository, in each pod that needs them. */
export function gitSync(scope: Construct, { name, gitSync: git }: AirflowSettings, { dagRefresh }: Generation): ChartPart {
  if (!git) {
    return { values: { dags: { persistence: { enabled: false }, gitSync: { enabled: false } } } };
  }
  const variables = Object.entries(gitSyncEnvironment(git, `${CA_DIRECTORY}/ca.crt`));
  const credentials = git.credentials ? credentialsOf(scope, name, git.credentials) : { values: {} };
  return {
    values: {
      images: { gitSync: imageOf(GIT_SYNC_IMAGE) },
      config: { [dagRefresh.section]: { [dagRefresh.option]: DAG_REFRESH_SECONDS } },
      dags: {
        persistence: { enabled: false },
        gitSync: {
          enabled: true,
          repo: git.repository,
          // The chart sets the variables of both generations of git-sync, and the old ones take precedence: with a branch, or without one for `ref`.
          branch: git.branch,
          rev: git.branch ? 'HEAD' : '',
          ref: git.branch || git.revision,
          depth: git.depth,
          subPath: git.subPath,
          period: `${git.periodSeconds}s`,
          maxFailures: -1, // otherwise the first network failure stops the container, and with it the pod
          resources: SMALL_CONTAINERS.gitSync,
          startupProbe: { failureThreshold: 60 }, // five minutes for the clone of a large repository
          ...variables.length > 0 && { env: variables.map(([variable, value]) => envVar(variable, value)) },
          ...git.caBundle && { extraVolumeMounts: [{ name: 'git-sync-ca', mountPath: CA_DIRECTORY, readOnly: true }] },
          ...credentials.values,
        },
      },
      ...git.caBundle && caBundle(`${name}-git-sync-ca`, git.caBundle),
    },
    keys: credentials.keys,
  };
}

const CA_DIRECTORY = '/etc/git-sync-ca';

function caBundle(configMap: string, certificates: string): Values {
  return {
    extraConfigMaps: { [configMap]: { useHelmHooks: false, data: `ca.crt: ${verbatim(JSON.stringify(certificates))}` } },
    volumes: [{ name: 'git-sync-ca', configMap: { name: configMap } }],
  };
}

function credentialsOf(scope: Construct, name: string, credentials: GitCredentials): ChartPart {
  if (credentials.kind === 'ssh') {
    const { privateKey, knownHosts } = credentials;
    const key = fixedKey(scope, 'gitSync.auth.privateKey', { name: `${name}-ssh-git-secret`, key: 'gitSshKey' }, privateKey, privateKeyTemplate);
    return { values: { sshKeySecret: key.name, knownHosts }, keys: [key] };
  }
  const { username, password } = credentials;
  const secret = `${name}-http-git-secret`;
  return {
    values: { credentialsSecret: secret },
    // The chart reads the variables of git-sync's third and fourth generation.
    keys: ['GIT_SYNC', 'GITSYNC'].flatMap((prefix) => [
      composedKey(scope, { name: secret, key: `${prefix}_USERNAME` }, { 'gitSync.auth.username': username }, (variable) => `{{ .${variable} }}`),
      composedKey(scope, { name: secret, key: `${prefix}_PASSWORD` }, { 'gitSync.auth.password': password }, (variable) => `{{ .${variable} }}`),
    ]),
  };
}
