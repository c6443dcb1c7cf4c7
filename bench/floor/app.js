// A typical Airflow, by hand: the resources that the library makes, on aws-cdk-lib alone, in the order they need.
const { Duration, RemovalPolicy, Tags } = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const efs = require('aws-cdk-lib/aws-efs');
const eks = require('aws-cdk-lib/aws-eks');
const iam = require('aws-cdk-lib/aws-iam');
const secretsmanager = require('aws-cdk-lib/aws-secretsmanager');
const { synthesize } = require('../cluster');

const taint = { key: 'dedicated', value: 'airflow', effect: 'NoSchedule' };
const tolerations = [{ operator: 'Equal', ...taint }];
const affinityTo = (labels) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: Object.entries(labels).map(([key, value]) => ({ key, operator: 'In', values: [value] })) }],
    },
  },
});
const onNodes = (type) => ({ affinity: affinityTo({ role: 'airflow', type }), tolerations });
const overZones = (component) => [{
  maxSkew: 1,
  topologyKey: 'topology.kubernetes.io/zone',
  whenUnsatisfiable: 'ScheduleAnyway',
  labelSelector: { matchLabels: { app: 'airflow', component, release: 'airflow' } },
}];

synthesize((stack, { cluster, deployKey, certificate }) => {
  const { vpc } = cluster;
  const { partition } = stack;

  const irsaRole = (id, namespace, serviceAccount, statements) => {
    const provider = cluster.openIdConnectProvider;
    const issuer = provider.openIdConnectProviderIssuer;
    return new iam.Role(stack, id, {
      assumedBy: new iam.OpenIdConnectPrincipal(provider, {
        StringEquals: { [`${issuer}:aud`]: 'sts.amazonaws.com', [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}` },
      }),
      inlinePolicies: statements && {
        Default: new iam.PolicyDocument({ statements: statements.map((statement) => new iam.PolicyStatement(statement)) }),
      },
    });
  };

  // Nodes
  const nodeRole = new iam.Role(stack, 'NodeRole', {
    assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
    managedPolicies: ['AmazonEKSWorkerNodePolicy', 'AmazonEKS_CNI_Policy', 'AmazonEC2ContainerRegistryPullOnly', 'AmazonSSMManagedInstanceCore']
      .map((name) => iam.ManagedPolicy.fromAwsManagedPolicyName(name)),
  });
  const nodeSecurityGroup = new ec2.SecurityGroup(stack, 'NodeSecurityGroup', { vpc, description: 'Nodes of Airflow' });
  nodeSecurityGroup.addIngressRule(nodeSecurityGroup, ec2.Port.allTraffic(), 'Nodes of Airflow to each other');
  const launchTemplate = new ec2.LaunchTemplate(stack, 'LaunchTemplate', {
    securityGroup: nodeSecurityGroup,
    blockDevices: [{
      deviceName: '/dev/xvda', volume: ec2.BlockDeviceVolume.ebs(20, { encrypted: true, volumeType: ec2.EbsDeviceVolumeType.GP3 }),
    }],
    requireImdsv2: true,
    httpPutResponseHopLimit: 1,
  });
  launchTemplate.addSecurityGroup(cluster.clusterSecurityGroup);
  Tags.of(launchTemplate).add('Name', 'prod-airflow');
  const nodegroup = (id, name, type, capacityType, instanceTypes, minSize, maxSize) => new eks.CfnNodegroup(stack, id, {
    clusterName: cluster.clusterName,
    nodeRole: nodeRole.roleArn,
    subnets: vpc.selectSubnets({ subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS }).subnetIds,
    amiType: 'AL2023_x86_64_STANDARD',
    capacityType,
    instanceTypes,
    forceUpdateEnabled: true,
    scalingConfig: { minSize, maxSize, desiredSize: minSize },
    labels: { role: 'airflow', type, lifecycle: capacityType === 'SPOT' ? 'spot' : 'on-demand' },
    taints: [{ key: 'dedicated', value: 'airflow', effect: 'NO_SCHEDULE' }],
    tags: { Name: `prod-airflow-${name}` },
    launchTemplate: { id: launchTemplate.launchTemplateId, version: launchTemplate.latestVersionNumber },
  });
  const nodegroups = [
    nodegroup('Stateless', 'stateless', 'af-stateless', 'SPOT', ['c5a.xlarge', 'c5a.large'], 2, 2),
    nodegroup('Workers', 'workers', 'af-stateful', 'SPOT', ['c5a.2xlarge', 'c5.2xlarge', 'm5a.2xlarge'], 1, 3),
    nodegroup('Database', 'database', 'af-db', 'ON_DEMAND', ['c5a.xlarge'], 1, 1),
  ];

  // File system
  const fileSystem = new efs.FileSystem(stack, 'FileSystem', {
    vpc,
    securityGroup: new ec2.SecurityGroup(stack, 'FileSystemSecurityGroup', { vpc, description: 'File system of Airflow', allowAllOutbound: false }),
    encrypted: true,
    enableAutomaticBackups: true,
    lifecyclePolicy: efs.LifecyclePolicy.AFTER_14_DAYS,
    throughputMode: efs.ThroughputMode.ELASTIC,
    removalPolicy: RemovalPolicy.RETAIN,
    allowAnonymousAccess: true,
    fileSystemPolicy: new iam.PolicyDocument({
      statements: [new iam.PolicyStatement({
        effect: iam.Effect.DENY,
        principals: [new iam.AnyPrincipal()],
        actions: ['elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite', 'elasticfilesystem:ClientRootAccess'],
        conditions: { Bool: { 'aws:SecureTransport': 'false' } },
      })],
    }),
  });
  fileSystem.connections.allowDefaultPortFrom(nodeSecurityGroup, 'NFS from the nodes of Airflow');
  fileSystem.grant(nodeRole, 'elasticfilesystem:ClientMount', 'elasticfilesystem:ClientWrite');
  const logs = new efs.AccessPoint(stack, 'LogsAccessPoint', {
    fileSystem, path: '/airflow/logs', posixUser: { uid: '50000', gid: '0' }, createAcl: { ownerUid: '50000', ownerGid: '0', permissions: '0775' },
  });
  const database = new efs.AccessPoint(stack, 'DatabaseAccessPoint', {
    fileSystem, path: '/airflow/data', posixUser: { uid: '1001', gid: '1001' }, createAcl: { ownerUid: '1001', ownerGid: '1001', permissions: '0700' },
  });

  // What makes volumes of it
  const efsArn = (resource) => `arn:${partition}:elasticfilesystem:${stack.region}:${stack.account}:${resource}/*`;
  const tag = 'efs.csi.aws.com/cluster';
  const driverRole = irsaRole('DriverRole', 'kube-system', 'efs-csi-controller-sa', [
    {
      actions: ['elasticfilesystem:DescribeAccessPoints', 'elasticfilesystem:DescribeFileSystems', 'elasticfilesystem:DescribeMountTargets'],
      resources: [efsArn('file-system'), efsArn('access-point')],
    },
    { actions: ['ec2:DescribeAvailabilityZones'], resources: ['*'] },
    {
      actions: ['elasticfilesystem:CreateAccessPoint'],
      resources: [efsArn('file-system')],
      conditions: { 'StringEquals': { [`aws:RequestTag/${tag}`]: 'true' }, 'ForAllValues:StringEquals': { 'aws:TagKeys': [tag] } },
    },
    {
      actions: ['elasticfilesystem:TagResource'],
      resources: [efsArn('access-point')],
      conditions: { StringEquals: { 'elasticfilesystem:CreateAction': 'CreateAccessPoint', [`aws:RequestTag/${tag}`]: 'true' } },
    },
    {
      actions: ['elasticfilesystem:DeleteAccessPoint'],
      resources: [efsArn('access-point')],
      conditions: { StringEquals: { [`aws:ResourceTag/${tag}`]: 'true' } },
    },
  ]);
  const onAirflowNodes = { tolerations, affinity: affinityTo({ role: 'airflow' }), nodeSelector: { role: 'airflow' } };
  const driver = new eks.HelmChart(stack, 'Driver', {
    cluster,
    repository: 'https://kubernetes-sigs.github.io/aws-efs-csi-driver',
    chart: 'aws-efs-csi-driver',
    version: '4.4.1',
    release: 'aws-efs-csi-driver',
    namespace: 'kube-system',
    createNamespace: false,
    values: {
      controller: {
        ...onAirflowNodes,
        serviceAccount: { create: true, name: 'efs-csi-controller-sa', annotations: { 'eks.amazonaws.com/role-arn': driverRole.roleArn } },
      },
      node: onAirflowNodes,
    },
  });

  // Namespace, volumes and claims
  const volumeAndClaim = (name, accessPoint, storage) => [{
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: '',
      capacity: { storage },
      volumeMode: 'Filesystem',
      persistentVolumeReclaimPolicy: 'Retain',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'airflow', name },
      mountOptions: ['tls', 'iam'],
      csi: { driver: 'efs.csi.aws.com', volumeHandle: `${fileSystem.fileSystemId}::${accessPoint.accessPointId}` },
    },
  }, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'airflow' },
    spec: { accessModes: ['ReadWriteMany'], storageClassName: '', volumeName: name, resources: { requests: { storage } } },
  }];
  const namespace = new eks.KubernetesManifest(stack, 'Namespace', {
    cluster,
    manifest: [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'airflow' } },
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'airflow-efs' },
        provisioner: 'efs.csi.aws.com',
        mountOptions: ['tls', 'iam'],
        reclaimPolicy: 'Retain',
        parameters: {
          provisioningMode: 'efs-ap', fileSystemId: fileSystem.fileSystemId, basePath: '/airflow/volumes', directoryPerms: '0775', uid: '50000', gid: '0',
        },
      },
      ...volumeAndClaim('airflow-logs', logs, '1Gi'),
      ...volumeAndClaim('data-airflow-postgresql', database, '8Gi'),
    ],
  });
  namespace.node.addDependency(driver);

  // Secrets
  const generated = (id, description) => new secretsmanager.Secret(stack, id, {
    description,
    generateSecretString: { passwordLength: 32, excludePunctuation: true },
    removalPolicy: RemovalPolicy.RETAIN,
  });
  const keys = {
    'airflow-admin-password': [generated('AdminPassword', 'Password of admin in Airflow'), '{{ .value }}'],
    'airflow-fernet': [generated('FernetKey', 'Encrypts the connections and variables of Airflow'), '{{ .value | b64enc }}'],
    'airflow-webserver-key': [generated('WebserverSecretKey', 'Signs the sessions of Airflow'), '{{ .value }}'],
    'flower-basic-auth': [generated('FlowerPassword', 'Password of the user airflow of flower'), 'airflow:{{ .value }}'],
    'postgresql-password': [generated('DatabasePassword', 'Password of the database of Airflow'), '{{ .value }}'],
    'redis-password': [generated('RedisPassword', 'Password of the Redis of Airflow'), '{{ .value }}'],
  };
  const operator = new eks.HelmChart(stack, 'Operator', {
    cluster,
    repository: 'https://charts.external-secrets.io',
    chart: 'external-secrets',
    version: '2.9.0',
    release: 'external-secrets',
    namespace: 'external-secrets',
    values: {
      webhook: { create: false },
      certController: { create: false },
      crds: { annotations: { 'helm.sh/resource-policy': 'keep' } },
      global: { tolerations },
    },
  });
  const readerRole = irsaRole('ReaderRole', 'airflow', 'airflow-external-secrets');
  for (const [secret] of Object.values(keys)) {
    secret.grantRead(readerRole);
  }
  deployKey.grantRead(readerRole);
  const externalSecret = (name, data) => ({
    apiVersion: 'external-secrets.io/v1',
    kind: 'ExternalSecret',
    metadata: { name, namespace: 'airflow' },
    spec: {
      refreshInterval: '1h',
      secretStoreRef: { kind: 'SecretStore', name: 'airflow-external-secrets' },
      target: {
        name,
        template: {
          engineVersion: 'v2',
          data: Object.fromEntries(Object.entries(data).map(([key, [, template]], n) => [key, template.replace('value', `value${n}`)])),
        },
      },
      data: Object.values(data).map(([secret], n) => ({ secretKey: `value${n}`, remoteRef: { key: secret.secretFullArn ?? secret.secretName } })),
    },
  });
  const externalSecrets = new eks.KubernetesManifest(stack, 'ExternalSecrets', {
    cluster,
    manifest: [
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'airflow-external-secrets', namespace: 'airflow', annotations: { 'eks.amazonaws.com/role-arn': readerRole.roleArn } },
      },
      {
        apiVersion: 'external-secrets.io/v1',
        kind: 'SecretStore',
        metadata: { name: 'airflow-external-secrets', namespace: 'airflow' },
        spec: {
          provider: { aws: { service: 'SecretsManager', region: stack.region, auth: { jwt: { serviceAccountRef: { name: 'airflow-external-secrets' } } } } },
        },
      },
      externalSecret('airflow-secret', keys),
      externalSecret('airflow-ssh-git-secret', { id_rsa: [deployKey, '{{ .value | replace "\\r" "" | trim }}\n'] }),
    ],
  });
  externalSecrets.node.addDependency(namespace, readerRole, operator);

  // Airflow
  const airflowRole = irsaRole('AirflowRole', 'airflow', 'airflow');
  const fromSecret = (name, key) => ({ name, valueFrom: { secretKeyRef: { name: 'airflow-secret', key } } });
  const twice = (component) => ({
    replicas: 2,
    podDisruptionBudget: { enabled: true, maxUnavailable: 1, minAvailable: '' },
    topologySpreadConstraints: overZones(component),
  });
  const release = new eks.HelmChart(stack, 'Release', {
    cluster,
    repository: 'https://airflow-helm.github.io/charts',
    chart: 'airflow',
    version: '8.9.0',
    release: 'airflow',
    namespace: 'airflow',
    createNamespace: false,
    wait: true,
    timeout: Duration.minutes(14),
    values: {
      airflow: {
        legacyCommands: false,
        image: { repository: 'apache/airflow', tag: '2.8.4-python3.9', pullPolicy: 'IfNotPresent', uid: 50000, gid: 0 },
        executor: 'CeleryExecutor',
        fernetKey: '',
        webserverSecretKey: '',
        config: {
          AIRFLOW__CORE__LOAD_EXAMPLES: 'False',
          AIRFLOW__WEBSERVER__EXPOSE_CONFIG: 'False',
          AIRFLOW__CORE__DEFAULT_TASK_RETRIES: '2',
          AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True',
          AIRFLOW__WEBSERVER__BASE_URL: 'https://airflow.example.com',
        },
        extraEnv: [
          fromSecret('AIRFLOW__CORE__FERNET_KEY', 'airflow-fernet'),
          fromSecret('AIRFLOW__WEBSERVER__SECRET_KEY', 'airflow-webserver-key'),
        ],
        extraPipPackages: [],
        users: [{ username: 'admin', password: '${ADMIN_PASSWORD}', role: 'Admin', email: 'admin@example.com', firstName: 'admin', lastName: 'admin' }],
        usersTemplates: { ADMIN_PASSWORD: { kind: 'secret', name: 'airflow-secret', key: 'airflow-admin-password' } },
        usersUpdate: true,
        connections: [],
        connectionsTemplates: {},
        connectionsUpdate: true,
        variables: [],
        variablesTemplates: {},
        variablesUpdate: true,
        pools: [],
        poolsUpdate: true,
        defaultTolerations: tolerations,
        defaultAffinity: affinityTo({ role: 'airflow', type: 'af-stateless' }),
        defaultSecurityContext: { fsGroup: 0 },
      },
      scheduler: { ...twice('scheduler'), logCleanup: { enabled: false } },
      web: { ...twice('web'), service: { type: 'ClusterIP' } },
      workers: {
        enabled: true,
        replicas: 2,
        resources: { requests: { cpu: '1', memory: '2Gi' } },
        ...onNodes('af-stateful'),
        topologySpreadConstraints: overZones('worker'),
        podDisruptionBudget: { enabled: true, maxUnavailable: '20%', minAvailable: '' },
        safeToEvict: false,
        celery: { gracefullTermination: true, gracefullTerminationPeriod: 540 },
        terminationPeriod: 60,
        logCleanup: { enabled: false },
        autoscaling: { enabled: false },
      },
      flower: { enabled: true, basicAuthSecret: 'airflow-secret', basicAuthSecretKey: 'flower-basic-auth' },
      logs: { path: '/opt/airflow/efs/logs', persistence: { enabled: true, existingClaim: 'airflow-logs', accessMode: 'ReadWriteMany' } },
      dags: {
        path: '/opt/airflow/efs/dags',
        persistence: { enabled: false },
        gitSync: {
          enabled: true,
          image: { repository: 'registry.k8s.io/git-sync/git-sync', tag: 'v4.4.2' },
          repo: 'git@github.com:example/dags.git',
          branch: 'main',
          revision: 'HEAD',
          depth: 1,
          repoSubPath: '',
          syncWait: 60,
          maxFailures: -1,
          resources: { requests: { cpu: '50m', memory: '64Mi' } },
          sshSecret: 'airflow-ssh-git-secret',
          sshSecretKey: 'id_rsa',
          sshKnownHosts: [
            'github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl',
            'github.com ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=',
          ].join('\n'),
        },
      },
      pgbouncer: { enabled: true, ...onNodes('af-db'), podDisruptionBudget: { enabled: false } },
      postgresql: {
        enabled: true,
        image: { registry: 'ghcr.io', repository: 'airflow-helm/postgresql-bitnami', tag: '11.22-patch.0' },
        postgresqlDatabase: 'airflow',
        postgresqlUsername: 'postgres',
        postgresqlPassword: '',
        existingSecret: 'airflow-secret',
        existingSecretKey: 'postgresql-password',
        persistence: { enabled: true, existingClaim: 'data-airflow-postgresql' },
        volumePermissions: { enabled: false },
        master: { ...onNodes('af-db'), podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } },
      },
      redis: {
        enabled: true,
        image: { registry: 'docker.io', repository: 'library/redis', tag: '7.2-bookworm' },
        password: '',
        existingSecret: 'airflow-secret',
        existingSecretPasswordKey: 'redis-password',
        master: { ...onNodes('af-db'), command: '' },
      },
      serviceAccount: { create: true, name: 'airflow', annotations: { 'eks.amazonaws.com/role-arn': airflowRole.roleArn } },
      ingress: { enabled: false },
    },
  });
  release.node.addDependency(namespace, externalSecrets, ...nodegroups, logs, database, fileSystem.mountTargetsAvailable);

  // Load balancer
  const annotations = {
    'scheme': 'internal',
    'target-type': 'ip',
    'backend-protocol': 'HTTP',
    'healthcheck-path': '/health',
    'listen-ports': '[{"HTTPS":443}]',
    'group.name': 'airflow',
    'certificate-arn': certificate.certificateArn,
    'ssl-policy': 'ELBSecurityPolicy-TLS13-1-2-2021-06',
  };
  new eks.KubernetesManifest(stack, 'Ingress', {
    cluster,
    manifest: [{
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name: 'airflow',
        namespace: 'airflow',
        annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`alb.ingress.kubernetes.io/${key}`, value])),
      },
      spec: {
        ingressClassName: 'alb',
        rules: [{
          host: 'airflow.example.com',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'airflow-web', port: { number: 8080 } } } }] },
        }],
      },
    }],
  }).node.addDependency(release);
});
