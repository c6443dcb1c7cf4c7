import { resources } from '../component';

/**
 * The requests and limits of the containers that no prop sets. Users change them in `helmValues`.
 *
 * The requests are what the containers used at rest, rounded up; the limits leave room for peaks. A container with a limit and without a request
 * would request its limit.
 */
export const SMALL_CONTAINERS = {
  /** A program that loads Airflow: up to 200 MiB. */
  airflow: resources('50m', '256Mi', '768Mi'),
  /** As above, and then it sleeps. */
  usersAndPools: resources('50m', '64Mi', '512Mi'),
  flower: resources('50m', '256Mi', '512Mi'),
  databaseCleanup: resources('100m', '256Mi', '1Gi'),
  /** git itself needs more than git-sync, to clone a large repository. */
  gitSync: resources('50m', '64Mi', '1Gi'),
  logGroomer: resources('10m', '32Mi', '128Mi'),
  metrics: resources('20m', '32Mi', '128Mi'),
};
