import ec2 = require('aws-cdk-lib/aws-ec2');
import efs = require('aws-cdk-lib/aws-efs');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct, IConstruct, IDependable } from 'constructs';
import { AirflowOnEksProps } from './airflow-on-eks-props';
import { airflowSettings } from './airflow-settings';
import { BoundBroker, IAirflowBroker } from './broker/airflow-broker';
import { brokerInCluster, createBroker } from './broker/celery-broker';
import { AirflowChart } from './chart/airflow-chart';
import { airflowRelease, checkChart, readyTimeoutOf } from './chart/airflow-release';
import { albControllerOf, checkCluster, Cluster } from './cluster';
import { AirflowDatabase } from './database/airflow-database';
import { IAirflowDatabase } from './database/bound-database';
import { PgBouncer } from './database/pgbouncer';
import { AirflowExecutor, hasCelery, hasTaskPods } from './executor';
import { AlbIngress, IAlbIngress } from './ingress/alb-ingress';
import { AlbIngressOptions, ingressUrl } from './ingress/alb-ingress-options';
import { Keda, kedaOf } from './keda';
import { serviceAccountRole } from './kubernetes';
import { AirflowLogs, IAirflowLogs } from './logs/airflow-logs';
import { userSettings } from './metadata/airflow-user';
import { checkNamespace, createNamespace } from './namespace';
import { AirflowNodePools, BoundNodePools, IAirflowNodePools } from './nodes/airflow-node-pools';
import { checkFit } from './nodes/node-pool-fit';
import { createPersistence, IAirflowPersistence, Persistence } from './persistence';
import { checkKinds } from './prop-kinds';
import { AirflowSecrets, IAirflowSecrets } from './secrets/airflow-secrets';
import { externalSecretsManifest } from './secrets/external-secrets-manifest';
import { fail } from './validation';

/** The parts of a deployment whose order matters. */
interface Order {
  readonly namespaceManifest: Construct;
  readonly operator: Construct[];
  readonly keda: Keda[];
  readonly available: IDependable[];
  readonly persistence?: Persistence;
  readonly nodes: BoundNodePools;
  readonly broker?: BoundBroker;
  /** The release, and what its pods use. */
  readonly workloads: Construct[];
  readonly release: Construct;
  readonly ingress?: Construct;
  readonly albController: IConstruct[];
}

/**
 * A production Apache Airflow deployment on an Amazon EKS cluster.
 *
 * The construct creates node groups, an Amazon EFS file system, secrets in AWS Secrets Manager, IAM roles, and the Helm release of Airflow with an
 * in-cluster database. It installs the EFS CSI driver and the External Secrets operator, one of each per cluster. With `ingress`, the AWS Load
 * Balancer Controller of the cluster creates an Application Load Balancer.
 *
 * The file system and the generated secrets are retained when the stack is deleted. AWS bills them until you delete them.
 *
 * @see https://github.com/airflow-on-eks/airflow-on-eks#readme
 * @example
 * declare const cluster: eks.ICluster;
 * declare const certificate: acm.ICertificate;
 * declare const deployKey: secretsmanager.ISecret;
 * declare const data: s3.Bucket;
 *
 * const airflow = new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   gitSync: {
 *     repository: 'git@github.com:example/dags.git',
 *     auth: GitAuth.ssh({ privateKey: AirflowSecret.fromSecretsManager(deployKey) }),
 *   },
 *   ingress: { host: 'airflow.example.com', certificate },
 * });
 * data.grantReadWrite(airflow); // for all DAGs
 */
export class AirflowOnEks extends Construct implements iam.IGrantable, ec2.IConnectable {
  /**
   * The principal to grant permissions to.
   *
   * All Airflow pods, and with them all DAGs, get the permissions. The construct itself is a grantee: `bucket.grantRead(airflow)`.
   */
  public readonly grantPrincipal: iam.IPrincipal;

  /**
   * The IAM role of all Airflow pods.
   *
   * The pods assume it through the service account that has the name of the namespace.
   *
   * @see https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
   */
  public readonly role: iam.IRole;

  /**
   * The network connections of the nodes.
   *
   * Pods use the security groups of their node. With `AirflowNodePools.existing()` and without its `securityGroup`, these are the connections of
   * the cluster security group.
   */
  public readonly connections: ec2.Connections;

  /**
   * The nodes on which Airflow runs.
   */
  public readonly nodePools: IAirflowNodePools;

  /**
   * The file system, its access points, and the names of its PersistentVolumeClaims.
   *
   * Undefined if neither the logs nor the database are on a file system, and the prop `persistence` is not set.
   */
  public readonly persistence?: IAirflowPersistence;

  /**
   * The file system for the logs and the in-cluster database, the same as `persistence.fileSystem`.
   *
   * Undefined without `persistence`.
   */
  public readonly fileSystem?: efs.IFileSystem;

  /**
   * The place of the log files.
   */
  public readonly logs: IAirflowLogs;

  /**
   * The database, behind PgBouncer.
   */
  public readonly database: IAirflowDatabase;

  /**
   * The broker of the Celery workers.
   *
   * Undefined with `AirflowExecutor.KUBERNETES` and `LOCAL`.
   */
  public readonly broker?: IAirflowBroker;

  /**
   * The keys and passwords that are in AWS Secrets Manager.
   */
  public readonly secrets: IAirflowSecrets;

  /**
   * The Helm chart, with its version and the version of Airflow.
   */
  public readonly chart: AirflowChart;

  /**
   * The Kubernetes namespace, which is also the name of the Helm release.
   */
  public readonly namespace: string;

  /**
   * The Application Load Balancer in front of the web UI.
   *
   * Undefined without the prop `ingress`.
   */
  public readonly ingress?: IAlbIngress;

  private readonly ingressOptions?: AlbIngressOptions;

  /**
   * Create an Airflow deployment.
   *
   * @param scope the construct that contains the deployment, such as a stack
   * @param id the ID of the deployment in `scope`
   * @param props the cluster, and the options of the deployment
   * @throws if a prop is invalid, or contradicts another prop or the chart
   */
  constructor(scope: Construct, id: string, props: AirflowOnEksProps) {
    super(scope, id);

    checkKinds(this, props);
    const { cluster, namespace = 'airflow', executor = AirflowExecutor.CELERY } = props;
    this.namespace = namespace;
    this.chart = props.chart ?? AirflowChart.official();
    const chart = this.chart._definition;
    checkCluster(this, cluster);
    checkChart(this, chart, props);
    checkNamespace(this, cluster, namespace, chart.maxNameLength);
    const users = userSettings(this, props.users);
    const backend = props.secretsBackend?._bind(this);
    const logs = (props.logs ?? AirflowLogs.onFileSystem())._bind(this, namespace);

    const databaseKind = props.database ?? AirflowDatabase.inCluster();
    const needs = {
      hasWorkers: hasTaskPods(executor), hasDatabase: databaseKind._inCluster !== undefined || brokerInCluster(executor, props.broker),
    };
    const nodes = (props.nodePools ?? AirflowNodePools._default(cluster))._bind(this, cluster, namespace, needs);
    const namespaceManifest = createNamespace(this, cluster, namespace);
    const context = { cluster, namespace, namespaceManifest, nodes, timeout: readyTimeoutOf(this, props.readyTimeout) };
    const persistence = createPersistence(this, props, { ...context, database: databaseKind._inCluster === 'file system', logs: logs.onFileSystem });
    const secrets = new AirflowSecrets(this, 'Secrets', { ...props.secrets, namespace, flower: hasCelery(executor), taskApi: chart.taskApi, users });
    const broker = createBroker(this, executor, props, { ...context, password: () => secrets.createBrokerPassword() });
    this.role = this.createRole(cluster, [...backend?.statements ?? [], ...logs.statements]);

    const databaseContext = { ...context, password: secrets.values.databasePassword };
    const database = databaseKind._bind(this, databaseContext);
    const pgBouncer = (props.pgBouncer ?? PgBouncer.enabled())._bind(this, { ...databaseContext, database });
    const { role } = this;
    const parts = { namespace, chart, executor, role, nodes, persistence, logs, broker, secrets: secrets.values, users, backend };
    const settings = airflowSettings(this, props, { ...parts, database: pgBouncer.settings });
    const dataPlane = [database, pgBouncer.create(settings)];
    const { release, keys, pods } = airflowRelease(this, { ...props, chart, settings, readyTimeout: context.timeout });
    const { operator, synchronized } = externalSecretsManifest(secrets, {
      ...context, keys: [...keys, ...broker?.keys ?? [], ...dataPlane.flatMap((part) => part.keys)], installation: props.externalSecrets,
    });
    checkFit(this, nodes.pools, [...pods, ...dataPlane.flatMap((part) => part.pods), ...broker?.pods ?? []]);
    const keda = kedaOf(this, cluster, settings.workers, props.keda);
    const ingress = this.createIngress(props, executor, nodes.autoMode);

    this.grantPrincipal = this.role;
    this.connections = nodes.connections;
    this.nodePools = nodes;
    this.persistence = persistence;
    this.fileSystem = persistence?.fileSystem;
    this.logs = logs;
    this.database = database;
    this.broker = broker;
    this.secrets = secrets;
    this.ingress = ingress;
    this.ingressOptions = props.ingress;

    const available = [...synchronized, ...database.available];
    const workloads = [...dataPlane.flatMap((part) => part.workloads), release];
    const albController = albControllerOf(cluster);
    this.order({ namespaceManifest, operator, keda, available, persistence, nodes, broker, workloads, release, ingress, albController });
  }

  /** Resources are deleted in the reverse order. */
  private order(order: Order): void {
    const { namespaceManifest, operator, keda, available, persistence, nodes, broker, workloads, release, ingress, albController } = order;
    namespaceManifest.node.addDependency(
      ...operator, // removes the finalizers of what is in the namespace, also after a deployment that failed
      ...keda.map(({ _release }) => _release), // as well
      ...nodes.dependables, // on which both may run until then
    );
    for (const workload of workloads) {
      workload.node.addDependency(
        ...available, // the secrets, without which pods do not start, and a managed database
        ...persistence?.mountable ?? [], // the claims, their file system, and the permission of the nodes to mount it
        ...nodes.dependables, // on which the pods run, and with whose role they mount
      );
    }
    release.node.addDependency(
      ...keda, // whose definition the autoscaler of the workers has
      ...broker?.dependables ?? [], // which the workers need until they have stopped
      ...albController, // whose webhook refuses Services until it is ready
    );
    ingress?.node.addDependency(
      release, // contains the services
      ...albController, // deletes the load balancer, before it is deleted itself
    );
  }

  /**
   * The URL of the web UI.
   *
   * Without `ingress.host`, it contains the DNS name of the load balancer, and a deployment that uses the URL waits up to ten minutes for the load
   * balancer. The URL has the port of the first listener of `ingress.listenerPorts`, HTTPS before HTTP, unless it is 80 or 443. Without `ingress`,
   * there is no URL, and this property throws an error.
   *
   * @throws if there is no ingress
   */
  public get url(): string {
    if (!this.ingress) {
      fail(this, "'url' needs 'ingress', got no ingress; without one, use kubectl port-forward to reach the web UI");
    }
    return ingressUrl(this.ingressOptions) ?? ingressUrl(this.ingressOptions, this.ingress.loadBalancerDnsName)!;
  }

  private createRole(cluster: Cluster, statements: iam.PolicyStatement[]): iam.Role {
    const { namespace } = this;
    const description = `Pods and DAGs of the Airflow deployment '${namespace}'`;
    return serviceAccountRole(this, 'Role', { cluster, namespace, serviceAccount: namespace, description, statements });
  }

  private createIngress({ cluster, ingress }: AirflowOnEksProps, executor: AirflowExecutor, autoMode: boolean): AlbIngress | undefined {
    const { chart: { _definition: chart }, namespace } = this;
    const flower = hasCelery(executor) ? chart.flowerService(namespace) : undefined;
    return ingress && new AlbIngress(this, 'Ingress', { ...ingress, cluster, namespace, autoMode, web: chart.webService(namespace), flower });
  }
}
