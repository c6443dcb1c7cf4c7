import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { BoundDatabase, DatabaseContext, DatabaseWorkloads } from './bound-database';
import { clientPassword, DatabaseEndpoint, fieldKey, SecretField } from './database-endpoint';
import { PGBOUNCER_PORT, pgbouncerObjects } from './pgbouncer-objects';
import { ComponentOptions, ComponentSettings, componentSettings } from '../component';
import { applyManifest, revisionOf, waitUntilReady } from '../kubernetes';
import { podRequestsOf } from '../pod-requests';
import { SecretKey } from '../secrets/secret-key';
import { checkCount } from '../validation';

/** The replicas of the components that connect to the database. */
export interface DatabaseClients {
  readonly apiServer: ComponentSettings;
  readonly scheduler: ComponentSettings;
  readonly dagProcessor: ComponentSettings;
  readonly triggerer: ComponentSettings;
  readonly workers: ComponentSettings & { readonly groups: ComponentSettings[] };
}

export interface PgBouncerContext extends DatabaseContext {
  readonly database: BoundDatabase;
}

interface PgBouncerDeploymentProps extends ComponentOptions, PgBouncerContext {
  readonly poolSize?: number;
}

/** PgBouncer in front of a database. */
export class PgBouncerDeployment extends Construct {
  /** PgBouncer, as its clients see it. */
  public readonly endpoint: DatabaseEndpoint;

  constructor(scope: Construct, id: string, private readonly props: PgBouncerDeploymentProps) {
    super(scope, id);

    const { namespace, database, password } = props;
    this.endpoint = {
      host: `${namespace}-pgbouncer.${namespace}`,
      port: PGBOUNCER_PORT,
      name: 'airflow',
      user: typeof database.endpoint.user === 'string' ? database.endpoint.user : 'airflow',
      password: clientPassword(namespace, password),
    };
  }

  /** Creates the objects, with a pool for the clients. */
  public deploy(clients: DatabaseClients): DatabaseWorkloads {
    const { cluster, namespace, nodes, database, poolSize, timeout } = this.props;
    const scope = this.node.scope!;
    const { replicas, resources } = componentSettings(scope, 'pgBouncer', this.props, { replicas: database.inCluster ? 1 : 2, cpu: '100m', memory: '64Mi' });
    // During an update, there is one pod more than replicas.
    const maxPoolSize = Math.floor(database.maxConnections / (Token.isUnresolved(replicas) ? 3 : replicas + 1));
    checkCount(scope, 'pgBouncer.poolSize', poolSize, 1, 'the in-cluster database accepts no more connections', maxPoolSize);
    const name = `${namespace}-pgbouncer`;
    const key = (field: SecretField) => fieldKey(scope, field);
    const { user, password } = database.endpoint;
    const credentials = { client: key(this.endpoint.password), password: key(password), user: typeof user === 'string' ? user : key(user) };
    const { admin } = database.creation ?? {};
    const adminKeys = admin && { user: key(admin.user), password: key(admin.password) };
    const objects = pgbouncerObjects({
      name,
      namespace,
      placement: database.inCluster ? nodes.placement.database : nodes.placement.stateless,
      replicas,
      resources,
      endpoint: this.endpoint,
      server: database.endpoint,
      credentials,
      creation: database.creation && typeof credentials.user !== 'string'
        ? { owner: { user: credentials.user, password: credentials.password }, admin: adminKeys } : undefined,
      poolSize: poolSize ?? defaultPoolSize(clients, replicas, maxPoolSize),
    });
    const manifest = applyManifest(this, 'Manifest', cluster, objects, { overwrite: true });
    waitUntilReady(this, 'Ready', cluster, { kind: 'Deployment', name, namespace }, timeout, revisionOf(this, objects)).node.addDependency(manifest);
    return {
      workloads: [manifest],
      pods: podRequestsOf('pgBouncer', objects),
      keys: [...Object.values(credentials), ...Object.values(adminKeys ?? {})].filter((found): found is SecretKey => typeof found !== 'string'),
    };
  }
}

/** The connections that the components use at the same time. The replicas of a token count as 2. */
function defaultPoolSize({ apiServer, scheduler, dagProcessor, triggerer, workers }: DatabaseClients, replicas: number, maximum: number): number {
  const count = (pods: number) => Token.isUnresolved(pods) ? 2 : pods;
  const most = (components: ComponentSettings[]) => components
    .map((component) => count(component.autoscaling?.maxReplicas ?? component.replicas)).reduce((sum, pods) => sum + pods);
  const connections = 4 * most([apiServer, scheduler, workers, ...workers.groups]) + 2 * most([dagProcessor, triggerer]);
  return Math.min(Math.max(10, Math.ceil(connections / count(replicas))), maximum);
}
