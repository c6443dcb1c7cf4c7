import { Annotations, ArnFormat, Duration, Stack, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import efs = require('aws-cdk-lib/aws-efs');
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { AirflowChart } from './chart/airflow-chart';
import { AirflowExecutor, ChartDefinition, environmentName, hasCelery } from './chart/settings';
import { checkNoSecret, mergeValues } from './chart/values';
import { albControllerOf, applyManifest, checkCluster, installChart, serviceAccountRole } from './cluster';
import { EfsCsiDriver, EfsCsiDriverSetup } from './efs-csi-driver';
import { checkFormat, fail } from './errors';
import { ExternalSecretsSetup } from './external-secrets';
import { GitSyncOptions, gitSyncSettings } from './git-sync';
import { AirflowImage } from './image';
import { AlbIngress, AlbIngressOptions, AlbIngressTargetType } from './ingress';
import { AirflowConnection, AirflowPool, AirflowRole, AirflowUser, AirflowVariable } from './metadata';
import { ExistingNodes, ExistingNodesOptions, NodePools, NodePoolsOptions } from './node-pools';
import { Persistence, PersistenceOptions } from './persistence';
import { AirflowSecret, AirflowSecrets, AirflowSecretsOptions, SecretBook } from './secrets';
import { sortKeys } from './sort-keys';
import { WorkersOptions, workersSettings } from './workers';

/**
 * Properties of `AirflowOnEks`.
 */
export interface AirflowOnEksProps {
  /**
   * The cluster, of `aws-eks` or of `aws-eks-v2`, made in this app or imported into it.
   *
   * An imported one has to have been given: `vpc`, `clusterSecurityGroupId`, `openIdConnectProvider`, and `kubectlProvider`
   * (or, for `aws-eks`, `kubectlRoleArn` and `kubectlLayer`).
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * The namespace, which is made, and is deleted with Airflow. Every Kubernetes name derives from it.
   *
   * @default 'airflow'
   */
  readonly namespace?: string;

  /**
   * The Helm chart, with its version and Airflow's.
   *
   * @default AirflowChart.official()
   */
  readonly chart?: AirflowChart;

  /**
   * How tasks run.
   *
   * @default AirflowExecutor.CELERY
   */
  readonly executor?: AirflowExecutor;

  /**
   * The image of Airflow.
   *
   * @default - `apache/airflow` in the version of the chart
   */
  readonly image?: AirflowImage;

  /**
   * Python packages that each pod installs when it starts. An image that has them starts faster, and always with the same.
   *
   * @default - no packages
   */
  readonly pipPackages?: string[];

  /**
   * The nodes that are created for Airflow.
   *
   * @default - three node groups with the defaults of `NodePoolsOptions`
   */
  readonly nodePools?: NodePoolsOptions;

  /**
   * Nodes that exist already, for Airflow to run on: none are created then.
   *
   * @default - nodes are created
   */
  readonly existingNodes?: ExistingNodesOptions;

  /**
   * The number of web servers.
   *
   * @default 2
   */
  readonly webServers?: number;

  /**
   * The number of schedulers.
   *
   * @default 2
   */
  readonly schedulers?: number;

  /**
   * The Celery workers.
   *
   * @default - 2 workers
   */
  readonly workers?: WorkersOptions;

  /**
   * The Git repository that DAGs come from.
   *
   * @default - the DAGs are in the image
   */
  readonly gitSync?: GitSyncOptions;

  /**
   * Where logs and the database are kept.
   *
   * @default - on a new EFS file system, which is retained
   */
  readonly persistence?: PersistenceOptions;

  /**
   * Who brings the EFS CSI driver, and where it runs.
   *
   * @default - `ONLY_AIRFLOW_NODES`; `ALL_NODES` with `existingNodes`
   */
  readonly efsCsiDriver?: EfsCsiDriverSetup;

  /**
   * Keys and passwords of your own.
   *
   * @default - generated in AWS Secrets Manager, and retained
   */
  readonly secrets?: AirflowSecretsOptions;

  /**
   * Who brings the External Secrets operator.
   *
   * @default ExternalSecretsSetup.INSTALL
   */
  readonly externalSecrets?: ExternalSecretsSetup;

  /**
   * The users who can log in.
   *
   * @default - one `admin`, with a generated password
   */
  readonly users?: AirflowUser[];

  /**
   * The connections to other systems.
   *
   * @default - none
   */
  readonly connections?: AirflowConnection[];

  /**
   * The variables of DAGs.
   *
   * @default - none
   */
  readonly variables?: AirflowVariable[];

  /**
   * Where AWS Secrets Manager has more connections and variables: `<prefix>/connections/<id>` and `<prefix>/variables/<key>`.
   *
   * Airflow looks there first. Its pods may read all secrets below the prefix; a KMS key of your own you grant to `role`.
   *
   * @default - connections and variables are Airflow's own
   * @see https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/secrets-backends/aws-secrets-manager.html
   */
  readonly secretsManagerPrefix?: string;

  /**
   * The pools that limit how many tasks run at once.
   *
   * @default - only Airflow's `default_pool`
   */
  readonly pools?: AirflowPool[];

  /**
   * Options of Airflow, as `section.key`, such as `core.parallelism`.
   *
   * @default - Airflow's own, without examples
   * @see https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html
   */
  readonly config?: { [option: string]: string };

  /**
   * Environment variables of all Airflow containers.
   *
   * @default - none
   */
  readonly environment?: { [name: string]: string };

  /**
   * Further secrets for DAGs, as environment variables: `slack-webhook` becomes `SLACK_WEBHOOK`.
   *
   * @default - none
   */
  readonly extraSecrets?: { [name: string]: AirflowSecret };

  /**
   * The load balancer in front of the web UI.
   *
   * @default - none: the web UI is reached by `kubectl port-forward`
   */
  readonly ingress?: AlbIngressOptions;

  /**
   * Values of the chart, merged over all that we set: maps key by key, all else replaced as a whole.
   *
   * @default - none
   */
  readonly values?: { [key: string]: any };

  /**
   * Paths of values, such as `scheduler.livenessProbe`, whose default in the chart is removed.
   *
   * In TypeScript a `null` in `values` does the same; from Python and Java none arrives.
   *
   * @default - none
   */
  readonly removedValues?: string[];

  /**
   * How long helm waits until all pods run, at most 14 minutes: the function that runs it ends after 15, and would leave the release locked.
   *
   * @default Duration.minutes(14)
   */
  readonly helmTimeout?: Duration;
}

/**
 * A production Apache Airflow on an EKS cluster.
 *
 * It makes nodes, file system, secrets, roles, the Helm release and the load balancer, in an order that works in both directions.
 *
 * @example
 * declare const cluster: eks.ICluster;
 * declare const certificate: acm.ICertificate;
 * declare const deployKey: secretsmanager.ISecret;
 *
 * new AirflowOnEks(this, 'Airflow', {
 *   cluster,
 *   gitSync: {
 *     repository: 'git@github.com:example/dags.git',
 *     auth: GitAuth.ssh({ privateKey: AirflowSecret.fromSecretsManager(deployKey) }),
 *   },
 *   ingress: { host: 'airflow.example.com', certificate },
 * });
 */
export class AirflowOnEks extends Construct implements iam.IGrantable, ec2.IConnectable {
  /**
   * What all pods of Airflow are to AWS: grant to it what DAGs need.
   */
  public readonly grantPrincipal: iam.IPrincipal;

  /**
   * The role of all pods of Airflow.
   */
  public readonly role: iam.IRole;

  /**
   * The network connections of the nodes, which are also the pods'.
   */
  public readonly connections: ec2.Connections;

  /**
   * The nodes.
   *
   * Undefined with `existingNodes`.
   */
  public readonly nodePools?: NodePools;

  /**
   * The file system, its access points, and the names of the claims.
   */
  public readonly persistence: Persistence;

  /**
   * The file system of logs and database.
   */
  public readonly fileSystem: efs.IFileSystem;

  /**
   * The keys and passwords.
   */
  public readonly secrets: AirflowSecrets;

  /**
   * The chart, with its version and Airflow's.
   */
  public readonly chart: AirflowChart;

  /**
   * The namespace, which is the name of the Helm release too.
   */
  public readonly namespace: string;

  /**
   * The load balancer in front of the web UI, if there is one.
   */
  public readonly ingress?: AlbIngress;

  private readonly ingressOptions?: AlbIngressOptions;

  constructor(scope: Construct, id: string, props: AirflowOnEksProps) {
    super(scope, id);

    const { cluster } = props;
    this.chart = props.chart ?? AirflowChart.official();
    this.namespace = props.namespace ?? 'airflow';
    this.ingressOptions = props.ingress;
    const chart = this.chart._definition;
    const executor = props.executor ?? AirflowExecutor.CELERY;
    const users = props.users ?? [{ username: 'admin', email: 'admin@example.com', role: AirflowRole.ADMIN }];
    checkCluster(this, cluster);
    this.checkProps(props, chart);
    this.takeNamespace(cluster);
    if (this.chart.airflowVersion.startsWith('2.')) {
      Annotations.of(this).addWarningV2('airflow-on-eks:airflow2EndOfLife',
        `Airflow ${this.chart.airflowVersion} gets no security fixes since April 2026; new deployments use AirflowChart.official() with Airflow 3`);
    }

    const nodes = props.existingNodes
      ? new ExistingNodes(props.existingNodes, cluster.clusterSecurityGroup)
      : this.nodePools = new NodePools(this, 'NodePools', { cluster, ...props.nodePools });
    this.connections = nodes.connections;

    this.persistence = new Persistence(this, 'Persistence', { cluster, namespace: this.namespace, nodes, nodeRole: nodes.role, ...props.persistence });
    this.fileSystem = this.persistence.fileSystem;

    this.secrets = new AirflowSecrets(this, 'Secrets', {
      cluster,
      namespace: this.namespace,
      celery: hasCelery(executor),
      taskApi: chart.taskApi,
      usernames: users.filter(({ password }) => !password).map(({ username }) => username),
      externalSecrets: props.externalSecrets,
      ...props.secrets,
    });

    this.role = serviceAccountRole(this, 'Role', {
      cluster,
      namespace: this.namespace,
      serviceAccount: this.namespace,
      description: 'Pods of Airflow, and so its DAGs',
      statements: props.secretsManagerPrefix === undefined ? undefined : [this.readsSecretsBelow(props.secretsManagerPrefix)],
    });
    this.grantPrincipal = this.role;

    const book = new SecretBook(this);
    const onNodePorts = props.ingress?.targetType === AlbIngressTargetType.INSTANCE;
    const values = mergeValues(this, chart.values({
      name: this.namespace,
      executor,
      image: props.image?._bind(this) ?? chart.defaultImage,
      serviceAccountRoleArn: this.role.roleArn,
      placement: nodes.placement,
      workers: workersSettings(this, props.workers ?? {}, nodes._workersOnSpot),
      replicas: { webServer: props.webServers ?? 2, scheduler: props.schedulers ?? 2 },
      claims: { logs: this.persistence.logsClaimName, database: this.persistence.databaseClaimName },
      gitSync: props.gitSync && gitSyncSettings(this, props.gitSync),
      secrets: this.secrets._values,
      users,
      connections: props.connections ?? [],
      variables: props.variables ?? [],
      pools: props.pools ?? [],
      config: sortKeys(configEnvironment({ ...secretsBackend(props.secretsManagerPrefix), ...props.config })),
      environment: sortKeys(props.environment ?? {}),
      extraSecrets: sortKeys(props.extraSecrets ?? {}),
      pipPackages: props.pipPackages ?? [],
      ingress: props.ingress && { url: AlbIngress._url(props.ingress), nodePort: onNodePorts },
    }, book), props, onNodePorts ? { ...chart.ownedValues, [chart.webServiceType]: 'ingress.targetType' } : chart.ownedValues);
    checkNoSecret(this, 'values', values);

    const namespace = applyManifest(this, 'Namespace', cluster, [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } },
      ...this.persistence._objects,
    ]);
    const kubernetesSecrets = this.secrets._write(book, namespace);
    const release = installChart(this, 'Release', cluster, {
      chart: chart.chart,
      release: this.namespace,
      namespace: this.namespace,
      values,
      wait: true,
      timeout: props.helmTimeout ?? Duration.minutes(14),
    });
    this.ingress = props.ingress && new AlbIngress(this, 'Ingress', {
      cluster,
      namespace: this.namespace,
      web: chart.webService(this.namespace),
      flower: hasCelery(executor) ? chart.flowerService(this.namespace) : undefined,
      ...props.ingress,
    });

    // What is made first is deleted last.
    const driver = props.efsCsiDriver ?? (props.existingNodes ? EfsCsiDriverSetup.ALL_NODES : EfsCsiDriverSetup.ONLY_AIRFLOW_NODES);
    if (driver !== EfsCsiDriverSetup.EXISTING) {
      namespace.node.addDependency(EfsCsiDriver.forCluster({ cluster, allNodes: driver === EfsCsiDriverSetup.ALL_NODES })); // unmounts the volumes
    }
    release.node.addDependency(
      namespace, // holds the claims
      ...kubernetesSecrets ? [kubernetesSecrets] : [], // pods do not start without
      this.persistence, this.fileSystem.mountTargetsAvailable, // what the claims are mounted from
      ...this.fileSystem.connections.securityGroups, // the way there
      ...this.nodePools ? [this.nodePools] : [], // what the pods run on, and may mount with
      ...albControllerOf(cluster), // looks at each new Service, and refuses it while it is not well
    );
    this.persistence._mountGrant.applyBefore(release); // also where the role is not ours
    this.ingress?.node.addDependency(
      release, // has the services
      ...albControllerOf(cluster), // takes the load balancer down, before it goes itself
    );
  }

  /**
   * The URL of the web UI.
   *
   * Without a host it is the DNS name of the load balancer, for which the deployment then waits.
   *
   * @throws if there is no ingress
   */
  public get url(): string {
    if (!this.ingress) {
      fail(this, "'url' needs 'ingress', got none; without it, reach the web UI by kubectl port-forward");
    }
    return AlbIngress._url(this.ingressOptions) ?? `http://${this.ingress.loadBalancerDnsName}`;
  }

  /** Volumes and the storage class are named by the namespace, and stand in none: two Airflows would write into each other's. */
  private takeNamespace(cluster: eks.ICluster | eksv2.ICluster): void {
    const namespaces = NAMESPACES.get(cluster) ?? new Map<string, string>();
    const taken = namespaces.get(this.namespace);
    if (taken) {
      fail(this, `'namespace' must be another one for each Airflow of a cluster, got '${this.namespace}', which is the one of ${taken}`);
    }
    NAMESPACES.set(cluster, namespaces.set(this.namespace, this.node.path));
  }

  private checkProps(props: AirflowOnEksProps, chart: ChartDefinition): void {
    checkFormat(this, 'namespace', this.namespace, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a DNS label (lower case letters, digits, and - inside)');
    if (Token.isUnresolved(this.namespace)) {
      fail(this, "'namespace' must be known at synthesis, because names derive from it, got a token");
    }
    if (this.namespace.length > chart.maxNameLength) {
      fail(this, `'namespace' must have at most ${chart.maxNameLength} characters, because the chart derives names from it, got ${this.namespace.length} ('${this.namespace}')`);
    }
    if (props.existingNodes && props.nodePools) {
      fail(this, "'nodePools' and 'existingNodes' exclude each other, got both; take one out");
    }
    const timeout = props.helmTimeout?.toSeconds() ?? 1;
    if (timeout > 14 * 60 || timeout < 1) {
      fail(this, `'helmTimeout' must be at most 14 minutes, because the function that runs helm ends after 15, got ${timeout} seconds`);
    }
    for (const [prop, count] of Object.entries({ webServers: props.webServers, schedulers: props.schedulers })) {
      if (count !== undefined && !(Number.isInteger(count) && count >= 1)) {
        fail(this, `'${prop}' must be at least 1, got ${count}`);
      }
    }
    this.checkMetadata(props);
    this.checkConfig(props, chart);
  }

  private readsSecretsBelow(prefix: string): iam.PolicyStatement {
    return new iam.PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      resources: [Stack.of(this).formatArn({
        service: 'secretsmanager', resource: 'secret', resourceName: `${prefix}/*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      })],
    });
  }

  private checkMetadata(props: AirflowOnEksProps): void {
    this.checkUnique('users', props.users?.map(({ username }) => username));
    this.checkUnique('connections', props.connections?.map(({ id }) => id));
    this.checkUnique('variables', props.variables?.map(({ key }) => key));
    this.checkUnique('pools', props.pools?.map(({ name }) => name));
    for (const { username, email } of props.users ?? []) {
      checkFormat(this, 'users.username', username, /^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'made of letters, digits and . _ - @');
      checkFormat(this, `users.${username}.email`, email, /^\S+@\S+$/, 'an e-mail address');
    }
    for (const connection of props.connections ?? []) {
      checkFormat(this, 'connections.id', connection.id, /^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'made of letters, digits and . _ -');
      for (const [plain, secret] of [['login', 'loginSecret'], ['extra', 'extraSecret']] as const) {
        if (connection[plain] !== undefined && connection[secret] !== undefined) {
          fail(this, `'connections.${connection.id}' must have one of '${plain}' and '${secret}', got both`);
        }
      }
      if (/"[^"]*(password|passwd|secret|token|api_?key|private_?key)[^"]*"\s*:\s*"[^"]/i.test(connection.extra ?? '')) {
        fail(this, `'connections.${connection.id}.extra' must not hold a secret in plain text; keep the whole JSON in AWS Secrets Manager and use 'extraSecret'`);
      }
    }
    for (const { key, value, secret } of props.variables ?? []) {
      checkFormat(this, 'variables.key', key, /^[A-Za-z_][A-Za-z0-9_]*$/, 'made of letters, digits and _');
      if ((value === undefined) === (secret === undefined)) {
        fail(this, `'variables.${key}' must have one of 'value' and 'secret', got ${secret ? 'both' : 'none'}`);
      }
      if (value !== undefined && SENSITIVE.test(key)) {
        fail(this, `'variables.${key}' must not hold a secret in plain text; use its 'secret'`);
      }
    }
  }

  private checkUnique(prop: string, names: string[] = []): void {
    const duplicate = names.find((name, index) => names.indexOf(name) !== index);
    if (duplicate !== undefined) {
      fail(this, `'${prop}' must have each name once, got '${duplicate}' twice`);
    }
  }

  private checkConfig(props: AirflowOnEksProps, chart: ChartDefinition): void {
    for (const option of Object.keys(props.config ?? {})) {
      checkFormat(this, 'config', option, /^[A-Za-z0-9_.-]+\.[A-Za-z0-9_]+$/, "options as 'section.key'");
    }
    if (props.secretsManagerPrefix !== undefined) {
      checkFormat(this, 'secretsManagerPrefix', props.secretsManagerPrefix, /^(?!\/)[\w/+=.@-]+(?<!\/)$/,
        'the start of names of secrets, without / at either end');
    }
    const backend = configEnvironment(secretsBackend(props.secretsManagerPrefix));
    const owned = { ...chart.ownedConfig, ...Object.fromEntries(Object.keys(backend).map((name) => [name, 'secretsManagerPrefix'])) };
    const config = configEnvironment(props.config ?? {});
    const environment = { ...config, ...props.environment };
    for (const [prop, names] of [['config', Object.keys(config)], ['environment', Object.keys(props.environment ?? {})]] as const) {
      for (const name of names) {
        const instead = owned[name];
        if (instead) {
          fail(this, `'${prop}' must not set ${name}, which is what '${instead}' is for; use '${instead}'`);
        }
        if (SENSITIVE.test(name) && !/_(CMD|SECRET)$/.test(name)) {
          fail(this, `'${prop}' must not hold a secret in plain text, got ${name}; use 'extraSecrets' with this name`);
        }
      }
    }
    for (const name of Object.keys(props.environment ?? {})) {
      checkFormat(this, 'environment', name, /^[A-Za-z_][A-Za-z0-9_]*$/, 'names of environment variables');
    }
    for (const key of Object.keys(props.extraSecrets ?? {})) {
      checkFormat(this, 'extraSecrets', key, /^[A-Za-z_][-._A-Za-z0-9]*$/, 'names that start with a letter, of letters, digits and . _ -');
    }
    this.checkUnique('extraSecrets, environment and config', [...Object.keys(environment), ...Object.keys(props.extraSecrets ?? {}).map(environmentName)]);
    checkNoSecret(this, 'config', props.config ?? {});
    checkNoSecret(this, 'environment', props.environment ?? {});
    checkNoSecret(this, 'variables', (props.variables ?? []).map(({ value }) => value));
    checkNoSecret(this, 'connections', (props.connections ?? []).map(({ host, login, extra, description }) => [host, login, extra, description]));
  }
}

/** The namespaces of each cluster, and who has them. */
const NAMESPACES = new WeakMap<eks.ICluster | eksv2.ICluster, Map<string, string>>();

/** Names whose values Airflow itself hides. */
const SENSITIVE = /(PASSWORD|PASSWD|PASSPHRASE|PRIVATE_KEY|SECRET_KEY|API_?KEY|FERNET_KEY|ACCESS_TOKEN|(^|_)SECRET$|(^|_)TOKEN$|SQL_ALCHEMY_CONN|BROKER_URL|RESULT_BACKEND)$/i;

/** Options that make Airflow look into AWS Secrets Manager. */
function secretsBackend(prefix?: string): Record<string, string> {
  return prefix === undefined ? {} : {
    'secrets.backend': 'airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend',
    'secrets.backend_kwargs': JSON.stringify({
      connections_prefix: `${prefix}/connections`, variables_prefix: `${prefix}/variables`, config_prefix: `${prefix}/config`,
    }),
  };
}

/** Options as Airflow reads them from the environment. */
function configEnvironment(config: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([option, value]) => {
    const dot = option.lastIndexOf('.');
    const name = (text: string) => text.toUpperCase().replace(/[^A-Z0-9]/g, '_');
    return [`AIRFLOW__${name(option.slice(0, dot))}__${name(option.slice(dot + 1))}`, value];
  }));
}
