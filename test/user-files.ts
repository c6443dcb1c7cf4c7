import type { Case } from './matrix';
import { remoteSecret } from './util';
import { AirflowExecutor } from '../src';

/** The login of Keycloak, as in the documentation of Flask AppBuilder. */
const WEBSERVER_CONFIG = `import os
from flask_appbuilder.const import AUTH_OAUTH

AUTH_TYPE = AUTH_OAUTH
AUTH_USER_REGISTRATION = True
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_ROLES_MAPPING = {"airflow-admins": ["Admin"], "airflow-users": ["User"]}
OAUTH_PROVIDERS = [{
    "name": "keycloak",
    "icon": "fa-key",
    "token_key": "access_token",
    "remote_app": {
        "client_id": "airflow",
        "client_secret": os.environ["OIDC_CLIENT_SECRET"],
        "server_metadata_url": "https://sso.example.com/realms/data/.well-known/openid-configuration",
        "client_kwargs": {"scope": "openid email profile"},
    },
}]
`;

const SIDECAR = {
  name: 'cloud-sql-proxy', image: 'registry.example.com/proxy:1.2', resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } },
};
const VOLUME = { name: 'scratch', emptyDir: { sizeLimit: '10Gi' } };
const MOUNT = { name: 'scratch', mountPath: '/scratch' };
const INIT = {
  name: 'fetch-certificates', image: 'registry.example.com/certificates:1.0', resources: SIDECAR.resources, volumeMounts: [MOUNT],
};

/** What users bring from the values files of their own deployments, in each chart's words. */
export const USER_FILES: Record<string, Case> = {
  'login by OIDC: official': {
    only: 'official',
    props: (stack) => ({
      users: [],
      environmentSecrets: { OIDC_CLIENT_SECRET: remoteSecret(stack, 'oidc') },
      helmValues: { apiServer: { apiServerConfig: WEBSERVER_CONFIG }, webserver: { webserverConfig: WEBSERVER_CONFIG } },
    }),
  },
  'login by OIDC: community': {
    only: 'community',
    props: (stack) => ({
      users: [],
      environmentSecrets: { OIDC_CLIENT_SECRET: remoteSecret(stack, 'oidc') },
      helmValues: { web: { webserverConfig: { stringOverride: WEBSERVER_CONFIG } } },
    }),
  },
  'sidecars, volumes, task pods and priority classes: official': {
    only: 'official',
    props: () => ({
      executor: AirflowExecutor.CELERY_KUBERNETES,
      gitSync: { repository: 'https://github.com/example/dags.git' },
      helmValues: {
        priorityClasses: [{ name: 'airflow-high', preemptionPolicy: 'PreemptLowerPriority', value: 1000 }],
        volumes: [VOLUME],
        volumeMounts: [MOUNT],
        scheduler: { priorityClassName: 'airflow-high', extraContainers: [SIDECAR], extraInitContainers: [INIT] },
        dagProcessor: { extraContainers: [SIDECAR] },
        workers: {
          celery: { extraContainers: [SIDECAR], priorityClassName: 'airflow-high' },
          kubernetes: { resources: { requests: { cpu: '500m', memory: '1Gi' } }, labels: { team: 'data' }, extraContainers: [SIDECAR] },
        },
      },
    }),
  },
  'sidecars, volumes and task pods: community': {
    only: 'community',
    props: () => ({
      executor: AirflowExecutor.CELERY_KUBERNETES,
      gitSync: { repository: 'https://github.com/example/dags.git' },
      helmValues: {
        airflow: {
          extraVolumes: [VOLUME],
          extraVolumeMounts: [MOUNT],
          kubernetesPodTemplate: { resources: { requests: { cpu: '500m', memory: '1Gi' } }, podLabels: { team: 'data' }, extraContainers: [SIDECAR] },
        },
        scheduler: { extraContainers: [SIDECAR], extraInitContainers: [INIT] },
        workers: { extraContainers: [SIDECAR] },
        extraManifests: [{
          apiVersion: 'networking.k8s.io/v1',
          kind: 'NetworkPolicy',
          metadata: { name: 'flower' },
          spec: { podSelector: { matchLabels: { component: 'flower' } }, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
        }],
      },
    }),
  },
  'another ingress controller: official': {
    only: 'official',
    props: () => ({
      config: { 'api.base_url': 'https://airflow.example.com' },
      helmValues: {
        ingress: {
          apiServer: { enabled: true, ingressClassName: 'nginx', hosts: [{ name: 'airflow.example.com', tls: { enabled: true, secretName: 'airflow-tls' } }] },
          web: { enabled: true, ingressClassName: 'nginx', hosts: [{ name: 'airflow.example.com' }] },
        },
      },
    }),
  },
  'another ingress controller: community': {
    only: 'community',
    props: () => ({
      config: { 'webserver.base_url': 'https://airflow.example.com' },
      helmValues: { ingress: { enabled: true, web: { host: 'airflow.example.com', ingressClassName: 'nginx' }, flower: { host: 'flower.example.com', ingressClassName: 'nginx' } } },
    }),
  },
  'images that are always pulled: official': { only: 'official', props: () => ({ helmValues: { images: { airflow: { pullPolicy: 'Always' } } } }) },
  'images that are always pulled: community': { only: 'community', props: () => ({ helmValues: { airflow: { image: { pullPolicy: 'Always' } } } }) },
};
