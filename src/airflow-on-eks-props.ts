import { Duration } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { ApiServerOptions } from './api-server';
import { CeleryBroker } from './broker/celery-broker';
import { AirflowChart } from './chart/airflow-chart';
import { ComponentOptions } from './component';
import { SecretsBackend } from './config/secrets-backend';
import { AirflowDatabase } from './database/airflow-database';
import { PgBouncer } from './database/pgbouncer';
import { DatabaseCleanupOptions } from './database-cleanup';
import { EfsCsiDriverInstallation } from './efs-csi-driver';
import { AirflowExecutor } from './executor';
import { ExternalSecretsInstallation } from './external-secrets';
import { GitSyncOptions } from './git-sync/git-sync';
import { AirflowImage } from './image';
import { AlbIngressOptions } from './ingress/alb-ingress-options';
import { KedaInstallation } from './keda';
import { AirflowLogs } from './logs/airflow-logs';
import { AirflowConnection } from './metadata/airflow-connection';
import { AirflowPool } from './metadata/airflow-pool';
import { AirflowUser } from './metadata/airflow-user';
import { AirflowVariable } from './metadata/airflow-variable';
import { AirflowNodePools } from './nodes/airflow-node-pools';
import { PersistenceOptions } from './persistence';
import { AirflowSecret } from './secrets/airflow-secret';
import { AirflowSecretsOptions } from './secrets/airflow-secrets';
import { WorkersOptions } from './workers';

/**
 * Properties of `AirflowOnEks`.
 */
export interface AirflowOnEksProps {
  /**
   * The EKS cluster, of `aws-eks` or `aws-eks-v2`, created in this app or imported into it.
   *
   * An imported cluster must specify `vpc`, `clusterSecurityGroupId`, `openIdConnectProvider`, and `kubectlProvider` (or, for `aws-eks`,
   * `kubectlRoleArn` and `kubectlLayer`).
   *
   * A cluster of `aws-eks` that another stack of this app creates must have the `authenticationMode` `API` or `API_AND_CONFIG_MAP`. The official
   * chart requires Kubernetes 1.30 or later.
   *
   * @see https://github.com/airflow-on-eks/airflow-on-eks#prerequisites
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * The Kubernetes namespace, which is also the name of the Helm release.
   *
   * The deployment creates the namespace, and deletes it with everything in it. The namespace must be unique per cluster, begin with a letter, and
   * have at most 40 lowercase letters, digits and `-`. Namespaces of Kubernetes and AWS, such as `default` and `kube-system`, are refused.
   *
   * Do not change it: names of Kubernetes objects and directories on the file system derive from it, so that Airflow would start with an empty
   * database and without its old logs.
   *
   * @default 'airflow'
   */
  readonly namespace?: string;

  /**
   * The Helm chart that installs Airflow, with its version and the version of Airflow.
   *
   * @default AirflowChart.official()
   */
  readonly chart?: AirflowChart;

  /**
   * The executor, which determines where tasks run.
   *
   * @default AirflowExecutor.CELERY
   */
  readonly executor?: AirflowExecutor;

  /**
   * The container image of Airflow.
   *
   * It must contain the Airflow version of `chart`. It replaces only the image of the Airflow containers: use `helmValues` for other images, such
   * as that of git-sync.
   *
   * @default - `apache/airflow` from Docker Hub, in the Airflow version of `chart`
   */
  readonly image?: AirflowImage;

  /**
   * Python packages that each pod installs when it starts, such as `pandas==2.2.3`.
   *
   * Only for the community chart: the official chart refuses them. Pods with an `image` that contains the packages start faster, and always with
   * the same versions.
   *
   * @default - no packages
   */
  readonly pipPackages?: string[];

  /**
   * The nodes on which Airflow runs.
   *
   * @default - `AirflowNodePools.autoMode()` on a cluster of this app in EKS Auto Mode, otherwise `AirflowNodePools.managedNodeGroups()`
   */
  readonly nodePools?: AirflowNodePools;

  /**
   * The API server of Airflow 3 or the web server of Airflow 2, which serves the web UI.
   *
   * @default - 2 replicas
   */
  readonly apiServer?: ApiServerOptions;

  /**
   * The scheduler, in which tasks run with `AirflowExecutor.LOCAL`.
   *
   * @default - 2 replicas, or 1 with `AirflowExecutor.LOCAL`
   */
  readonly scheduler?: ComponentOptions;

  /**
   * The DAG processor, which parses the DAG files.
   *
   * Only for the official chart: the community chart, whose scheduler parses the DAG files, refuses it.
   *
   * @default - 1 replica (official chart)
   */
  readonly dagProcessor?: ComponentOptions;

  /**
   * The triggerer, which runs the triggers of deferred tasks.
   *
   * @default - 1 replica
   * @see https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/deferring.html
   */
  readonly triggerer?: ComponentOptions;

  /**
   * The Celery workers.
   *
   * With `AirflowExecutor.KUBERNETES`, no Celery workers run: `cpu`, `memory`, `memoryLimit` and `defaultTaskRetries` apply to the pods of tasks, and
   * all other options are refused. With `AirflowExecutor.LOCAL`, only `defaultTaskRetries` is allowed.
   *
   * @default - 2 workers
   */
  readonly workers?: WorkersOptions;

  /**
   * The broker, which passes tasks to the Celery workers.
   *
   * @default CeleryBroker.inCluster()
   */
  readonly broker?: CeleryBroker;

  /**
   * The Git repository from which git-sync synchronizes the DAGs.
   *
   * @default - the DAGs are in the image, in `/opt/airflow/dags` (official chart) or `/opt/airflow/efs/dags` (community chart)
   * @see https://github.com/kubernetes/git-sync
   */
  readonly gitSync?: GitSyncOptions;

  /**
   * The PostgreSQL database of Airflow.
   *
   * @default AirflowDatabase.inCluster()
   */
  readonly database?: AirflowDatabase;

  /**
   * Whether PgBouncer is in front of the database.
   *
   * @default PgBouncer.enabled()
   */
  readonly pgBouncer?: PgBouncer;

  /**
   * Where Airflow keeps the log files of tasks.
   *
   * @default AirflowLogs.onFileSystem()
   */
  readonly logs?: AirflowLogs;

  /**
   * The file system for the logs and the in-cluster database.
   *
   * @default - a new encrypted EFS file system, which is retained when the stack is deleted; none if neither the logs nor the database need it
   */
  readonly persistence?: PersistenceOptions;

  /**
   * How the EFS CSI driver, with which pods mount the file system, is installed.
   *
   * All Airflow deployments of an app that install it in the same cluster must install it on the same nodes.
   *
   * @default - `onAirflowNodes()` for nodes that are created for Airflow, `onAllNodes()` for nodes that already exist
   */
  readonly efsCsiDriver?: EfsCsiDriverInstallation;

  /**
   * Keys and passwords that replace generated ones.
   *
   * @default - generated in AWS Secrets Manager, and retained when the stack is deleted
   */
  readonly secrets?: AirflowSecretsOptions;

  /**
   * How the External Secrets operator, which copies secrets from AWS Secrets Manager into the cluster, is installed.
   *
   * @default ExternalSecretsInstallation.onAnyNode()
   */
  readonly externalSecrets?: ExternalSecretsInstallation;

  /**
   * How KEDA, which sets the number of workers with `WorkerAutoscaling.onQueuedTasks()`, is installed.
   *
   * @default KedaInstallation.onAnyNode()
   */
  readonly keda?: KedaInstallation;

  /**
   * The users who can log in to the web UI.
   *
   * Their roles, names and passwords are synchronized when the DAG processor starts (official chart) or continuously (community chart). A user that
   * you remove from the list can still log in until you delete the user in the web UI.
   *
   * With an auth manager other than the FAB auth manager, which both charts use by default, specify an empty list.
   *
   * @default - one user `admin` with the email address `admin@example.com`, the role Admin and a generated password
   */
  readonly users?: AirflowUser[];

  /**
   * The connections to other systems.
   *
   * With the official chart, they are environment variables, which DAGs can use but the web UI does not list. With the community chart, they are
   * synchronized continuously with the database, and remain there if you remove them from the list.
   *
   * @default - no connections
   */
  readonly connections?: AirflowConnection[];

  /**
   * The Airflow variables, which DAGs read.
   *
   * With the official chart, they are environment variables, which the web UI does not list. With the community chart, they are synchronized
   * continuously with the database, and remain there if you remove them from the list.
   *
   * @default - no variables
   */
  readonly variables?: AirflowVariable[];

  /**
   * The secrets backend, in which Airflow looks up connections and variables before the environment and its database.
   *
   * @default - connections and variables are looked up in the environment and the database
   * @see https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/secrets-backend/index.html
   */
  readonly secretsBackend?: SecretsBackend;

  /**
   * The pools, which limit how many of their tasks run at the same time.
   *
   * A pool that you remove from the list stays in Airflow until you delete it in the web UI.
   *
   * @default - only Airflow's `default_pool`
   */
  readonly pools?: AirflowPool[];

  /**
   * Configuration options of Airflow, as `section.key`, such as `core.parallelism`.
   *
   * The values are in plain text in the template. For an option that contains a secret, use `environmentSecrets` with the name
   * `AIRFLOW__SECTION__KEY`. Options that another prop sets, such as `core.executor`, are refused.
   *
   * @default - Airflow's defaults, without example DAGs
   * @see https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html
   */
  readonly config?: { [option: string]: string };

  /**
   * Environment variables of all Airflow containers.
   *
   * The values are in plain text in the template. Names of secrets, such as `API_KEY`, are refused: use `environmentSecrets`.
   *
   * @default - no additional variables
   */
  readonly environment?: { [name: string]: string };

  /**
   * Environment variables of all Airflow containers whose values are secrets, by variable name.
   *
   * A new value of a secret takes effect when the pods restart.
   *
   * @default - no additional variables
   */
  readonly environmentSecrets?: { [name: string]: AirflowSecret };

  /**
   * The weekly deletion of old records from the database, which would grow without limit otherwise.
   *
   * @default - records older than 90 days are deleted
   */
  readonly databaseCleanup?: DatabaseCleanupOptions;

  /**
   * The Application Load Balancer in front of the web UI.
   *
   * The cluster must run the AWS Load Balancer Controller.
   *
   * @default - no load balancer: the web UI can be reached only with `kubectl port-forward`
   */
  readonly ingress?: AlbIngressOptions;

  /**
   * Values of the Helm chart, merged over those of the library.
   *
   * Maps are merged key by key, everything else is replaced. Lists without which the release does not work, such as `dagProcessor.extraContainers`
   * of the official chart and `extraManifests` of the community chart, are appended to. A value that a prop of this construct sets, or without
   * which the release does not work, is refused, and the error names the prop to use instead or the reason. The values are in plain text in the
   * template: do not specify secrets.
   *
   * @default - no additional values
   * @see https://airflow.apache.org/docs/helm-chart/stable/parameters-ref.html
   */
  readonly helmValues?: { [key: string]: any };

  /**
   * Paths of chart values whose defaults are removed, such as `dagProcessor.strategy.rollingUpdate` of the official chart.
   *
   * A `null` in `helmValues` has the same effect in TypeScript. In Python and Java, `null` is not passed to the library.
   *
   * @default - no defaults are removed
   */
  readonly removedHelmValues?: string[];

  /**
   * How long a deployment waits for the pods of each component to be ready, from 1 second to 14 minutes.
   *
   * The deployment fails after that time. The AWS Lambda function that waits stops after 15 minutes.
   *
   * @default Duration.minutes(14)
   */
  readonly readyTimeout?: Duration;
}
