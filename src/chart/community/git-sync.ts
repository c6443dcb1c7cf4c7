import { Construct } from 'constructs';
import { GitCredentials } from '../../git-sync/git-auth';
import { DAG_REFRESH_SECONDS, gitSyncEnvironment } from '../../git-sync/git-sync';
import { checkSameSecret, copiedKey } from '../../secrets/secret-key';
import { privateKeyTemplate } from '../../secrets/templates';
import { fail } from '../../validation';
import { GIT_SYNC_IMAGE, imageOf } from '../../versions';
import { AirflowSettings, ChartPart } from '../chart-definition';
import { SMALL_CONTAINERS } from '../resources';

/** The DAGs of a Git repository, in each pod. */
export function gitSync(scope: Construct, { name, config, gitSync: git }: AirflowSettings): ChartPart {
  const credentials = git?.credentials ? credentialsOf(scope, name, git.credentials) : { values: {} };
  const hidden = Object.keys(git?.environment ?? {}).find((variable) => /^GITSYNC_(SUBMODULES|SYNC_TIMEOUT)$/.test(variable));
  if (hidden) {
    const value = hidden === 'GITSYNC_SUBMODULES' ? 'submodules' : 'syncTimeout';
    fail(scope, `'gitSync.environment' must not set ${hidden}, which the community chart sets; use 'helmValues.dags.gitSync.${value}'`);
  }
  return {
    values: {
      ...git ? { airflow: { config: { AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL: `${DAG_REFRESH_SECONDS}`, ...config } } } : {},
      dags: {
        path: '/opt/airflow/efs/dags',
        persistence: { enabled: false },
        gitSync: git ? {
          enabled: true,
          image: imageOf(GIT_SYNC_IMAGE),
          repo: git.repository,
          branch: git.branch,
          revision: git.revision,
          depth: git.depth,
          repoSubPath: git.subPath,
          syncWait: git.periodSeconds,
          maxFailures: -1, // otherwise the first network failure stops the container, and with it the pod
          resources: SMALL_CONTAINERS.gitSync,
          // The only file that the chart mounts into git-sync: without SSH, there are no known hosts.
          ...git.caBundle && { sshKnownHosts: git.caBundle },
          ...credentials.values,
        } : { enabled: false },
      },
    },
    keys: credentials.keys,
  };
}

function credentialsOf(scope: Construct, name: string, credentials: GitCredentials): ChartPart {
  if (credentials.kind === 'ssh') {
    const { privateKey, knownHosts } = credentials;
    const key = copiedKey(scope, 'gitSync.auth.privateKey', { name: `${name}-ssh-git-secret`, key: 'id_rsa' }, privateKey, privateKeyTemplate);
    return { values: { sshSecret: key.name, sshSecretKey: key.key, sshKnownHosts: knownHosts }, keys: [key] };
  }
  const secret = `${name}-http-git-secret`;
  const username = copiedKey(scope, 'gitSync.auth.username', { name: secret, key: 'username' }, credentials.username);
  const password = copiedKey(scope, 'gitSync.auth.password', { name: secret, key: 'password' }, credentials.password);
  checkSameSecret(scope, { 'gitSync.auth.username': username, 'gitSync.auth.password': password });
  return {
    values: { httpSecret: username.name, httpSecretUsernameKey: username.key, httpSecretPasswordKey: password.key },
    keys: [username, password],
  };
}

/** The environment variables of git-sync, which the chart can only set for all containers. */
export function gitSyncVariables({ environment, gitSync: git }: AirflowSettings): Record<string, string> {
  const variables = git ? gitSyncEnvironment(git, '/etc/git-secret/known_hosts') : {};
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !(name in environment)));
}
