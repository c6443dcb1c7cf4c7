import { NestedStack, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AirflowDatabase, AirflowOnEks, DatabaseSslMode, EndpointDatabaseOptions, ExistingDatabaseOptions, PgBouncer } from '../../src';
import { ACCOUNT, importedCluster, importedVpc, Json, newApp, newStack, objectsOf, REGION, resourcesOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const HOST = 'db.example.com';
const env = { account: ACCOUNT, region: REGION };
const postgres = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_16 });

const secretIn = (scope: Stack) => secretsmanager.Secret.fromSecretNameV2(scope, 'Credentials', 'database');
const endpoint = (scope: Stack, options: Partial<EndpointDatabaseOptions> = {}) =>
  AirflowDatabase.fromEndpoint({ host: HOST, credentials: secretIn(scope), ...options });

const objectOf = (template: Template, kind: string): Json =>
  objectsOf(template, kind).find(({ metadata }) => metadata.name === 'airflow-pgbouncer')!;
const podOf = (template: Template): Json => objectOf(template, 'Deployment').spec.template.spec;
const serverOf = (template: Template): string => podOf(template).containers[0].env.find(({ name }: Json) => name === 'SERVER').value;
const rulesOf = (template: Template): Json[] => resourcesOf(template, 'AWS::EC2::SecurityGroupIngress').filter(({ Description }) => Description?.startsWith('PostgreSQL'));

describe('fromEndpoint, defaults', () => {
  const { template, airflow } = synthAirflow((stack) => ({ database: endpoint(stack) }));

  test('PgBouncer connects to the database, with user and password from the secret', () => {
    expect(serverOf(template)).toMatch(/^airflow = host=db\.example\.com port=5432 dbname='airflow' /);
    expect(podOf(template).volumes.find(({ name }: Json) => name === 'credentials').projected.sources).toEqual([
      { secret: { name: 'airflow-secret', items: [{ key: 'postgresql-password', path: 'client-password' }] } },
      { secret: { name: 'airflow-postgresql', items: [{ key: 'password', path: 'server-password' }] } },
      { secret: { name: 'airflow-postgresql', items: [{ key: 'user', path: 'server-user' }] } },
    ]);
    const { spec } = objectsOf(template, 'ExternalSecret').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
    expect(spec.refreshInterval).toBe('1m');
    expect(spec.data.map(({ remoteRef }: Json) => remoteRef.property).sort()).toEqual(['password', 'username']);
  });

  test('PgBouncer verifies the certificate with the authorities of the Region', () => {
    const { data } = objectOf(template, 'ConfigMap');
    expect(data['pgbouncer.ini']).toContain('server_tls_sslmode = verify-full');
    expect(data['server-ca.pem'].match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  });

  test('no database is created, and no security group gets a rule', () => {
    expect(resourcesOf(template, 'AWS::RDS::DBInstance').concat(resourcesOf(template, 'AWS::RDS::DBCluster'), rulesOf(template))).toEqual([]);
    expect(objectsOf(template, 'StatefulSet').map(({ metadata }) => metadata.name)).toEqual(['airflow-valkey']);
  });

  test('the attribute', () => {
    const { hostname, port, secret, connections, cluster, instance } = airflow.database;
    expect([hostname, port, secret?.secretName, connections, cluster, instance]).toEqual([HOST, 5432, 'database', undefined, undefined, undefined]);
  });
});

test('fromEndpoint, custom: both charts connect to PgBouncer as a user of its own', () => {
  const { template } = synthCommunity((stack) => ({
    database: endpoint(stack, {
      port: 6000, database: 'airflow-prod', certificateAuthorities: CERTIFICATE, securityGroup: ec2.SecurityGroup.fromSecurityGroupId(stack, 'Server', 'sg-5'),
    }),
  }));
  expect(serverOf(template)).toContain("host=db.example.com port=6000 dbname='airflow-prod' ");
  expect(objectOf(template, 'ConfigMap').data['server-ca.pem']).toBe(CERTIFICATE);
  expect(valuesOf(template).externalDatabase).toMatchObject({ host: 'airflow-pgbouncer.airflow', user: 'airflow', passwordSecret: 'airflow-secret' });
  expect(rulesOf(template)).toEqual([expect.objectContaining({
    GroupId: 'sg-5', FromPort: 6000, ToPort: 6000, Description: 'PostgreSQL from the nodes of the Airflow deployment',
  })]);
});

describe('a database that may be missing', () => {
  const prepareOf = (template: Template): Json => podOf(template).initContainers[0];
  const secretKey = (key: string) => ({ valueFrom: { secretKeyRef: { name: 'airflow-postgresql', key } } });

  test('defaults: PgBouncer starts when its user has connected, or created the database', () => {
    const { template } = synthAirflow((stack) => ({ database: endpoint(stack, { port: 6000 }) }));
    expect(podOf(template).initContainers).toHaveLength(1);
    expect(prepareOf(template)).toMatchObject({
      name: 'prepare',
      image: expect.stringMatching(/^docker\.io\/library\/postgres:16/),
      command: ['bash', '/etc/pgbouncer/prepare.sh'],
      terminationMessagePolicy: 'FallbackToLogsOnError',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true },
      volumeMounts: [{ name: 'config', mountPath: '/etc/pgbouncer', readOnly: true }],
    });
    expect(prepareOf(template).env).toEqual([
      { name: 'PGHOST', value: HOST },
      { name: 'PGPORT', value: '6000' },
      { name: 'PGCONNECT_TIMEOUT', value: '30' },
      { name: 'PGSSLMODE', value: 'verify-full' },
      { name: 'PGSSLROOTCERT', value: '/etc/pgbouncer/server-ca.pem' },
      { name: 'DATABASE_NAME', value: 'airflow' },
      { name: 'DATABASE_USER', ...secretKey('user') },
      { name: 'DATABASE_PASSWORD', ...secretKey('password') },
    ]);
    expect(objectOf(template, 'ConfigMap').data['prepare.sh']).toContain('CREATE DATABASE');
  });

  test('custom: an administrator, whose secret PgBouncer itself does not have', () => {
    const { template } = synthCommunity((stack) => ({
      database: endpoint(stack, { adminCredentials: secretsmanager.Secret.fromSecretNameV2(stack, 'Admin', 'admin') }),
    }));
    expect(prepareOf(template).env.slice(-2)).toEqual([{ name: 'ADMIN_USER', ...secretKey('admin-user') }, { name: 'ADMIN_PASSWORD', ...secretKey('admin-password') }]);
    expect(JSON.stringify([podOf(template).containers, podOf(template).volumes])).not.toContain('admin-');
    const { spec } = objectsOf(template, 'ExternalSecret').find(({ metadata }) => metadata.name === 'airflow-postgresql')!;
    expect(Object.keys(spec.target.template.data).sort()).toEqual(['admin-password', 'admin-user', 'password', 'user']);
  });

  test.each([['inCluster', AirflowDatabase.inCluster], ['aurora', AirflowDatabase.aurora], ['rds', AirflowDatabase.rds]])('%s: is never missing', (_name, create) => {
    const { template } = synthAirflow({ database: create() });
    expect(podOf(template).initContainers).toBeUndefined();
    expect(objectOf(template, 'ConfigMap').data['prepare.sh']).toBeUndefined();
  });
});

describe('sslMode', () => {
  const tlsOf = (options: Partial<EndpointDatabaseOptions>) => {
    const { template, stack } = synthAirflow((scope) => ({ database: endpoint(scope, options) }));
    const { data } = objectOf(template, 'ConfigMap');
    const environment: Json[] = podOf(template).initContainers[0].env.filter(({ name }: Json) => name.startsWith('PGSSL'));
    return { stack, settings: data['pgbouncer.ini'].split('\n').filter((line: string) => line.startsWith('server_tls')), data, environment };
  };

  test('custom: a certificate for another name', () => {
    const { settings, environment } = tlsOf({ sslMode: DatabaseSslMode.VERIFY_CA });
    expect(settings).toEqual(['server_tls_sslmode = verify-ca', 'server_tls_ca_file = /etc/pgbouncer/server-ca.pem']);
    expect(environment.map(({ value }) => value)).toEqual(['verify-ca', '/etc/pgbouncer/server-ca.pem']);
  });

  test('custom: a server without TLS, with a warning', () => {
    const { settings, data, environment, stack } = tlsOf({ sslMode: DatabaseSslMode.DISABLE });
    expect(settings).toEqual(['server_tls_sslmode = disable']);
    expect(data['server-ca.pem']).toBeUndefined();
    expect(environment).toEqual([{ name: 'PGSSLMODE', value: 'disable' }]);
    Annotations.fromStack(stack).hasWarning('/Data/Airflow', Match.stringLikeRegexp('can be read in the network.*airflow-on-eks:unencryptedDatabaseConnection'));
  });

  test('defaults: no warning', () => {
    Annotations.fromStack(tlsOf({}).stack).hasNoWarning('*', Match.stringLikeRegexp('unencryptedDatabaseConnection'));
  });
});

/** Databases that an app creates in a stack. */
const CREATED: Record<string, (stack: Stack, options?: ExistingDatabaseOptions) => AirflowDatabase> = {
  fromInstance: (stack, options) => {
    const instance = new rds.DatabaseInstance(stack, 'Server', { engine: postgres, vpc: new ec2.Vpc(stack, 'ServerVpc') });
    return AirflowDatabase.fromInstance(instance, instance.secret!, options);
  },
  fromCluster: (stack, options) => {
    const cluster = new rds.DatabaseCluster(stack, 'Server', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_16_4 }),
      vpc: new ec2.Vpc(stack, 'ServerVpc'),
      writer: rds.ClusterInstance.serverlessV2('Writer'),
    });
    return AirflowDatabase.fromCluster(cluster, cluster.secret!, options);
  },
};

const PLACES: Record<string, (data: Stack) => Stack> = {
  'the stack of the deployment': (data) => data,
  'another stack': (data) => new Stack(data.node.scope!, 'Foundation', { env }),
  'a nested stack': (data) => new NestedStack(data, 'Foundation'),
};

describe.each(Object.entries(CREATED))('%s', (name, create) => {
  test.each(Object.entries(PLACES))('defaults: created in %s', (_place, stackOf) => {
    const app = newApp();
    const data = new Stack(app, 'Data', { env });
    const home = stackOf(data);
    const airflow = new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), database: create(home) });
    app.synth();
    expect(home.dependencies).toEqual([]);
    const rules = rulesOf(Template.fromStack(data));
    expect(rules.map(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId))).toEqual([expect.stringContaining('AirflowNodePoolsSecurityGroup')]);
    expect([airflow.database.instance, airflow.database.cluster].map((server) => server?.node.path)).toEqual(
      name === 'fromInstance' ? [home.node.findChild('Server').node.path, undefined] : [undefined, home.node.findChild('Server').node.path],
    );
  });

  test('defaults: the pods wait for the database', () => {
    const { template } = synthAirflow((stack) => ({ database: create(stack) }));
    const [release] = Object.values(template.findResources('Custom::AWSCDK-EKS-HelmChart', { Properties: { Release: 'airflow' } }));
    expect(release.DependsOn).toEqual(expect.arrayContaining(Object.keys(template.findResources('AWS::RDS::DBInstance'))));
    expect(serverOf(template)).toContain("dbname='airflow' ");
  });

  test('custom: another database, other authorities', () => {
    const { template } = synthAirflow((stack) => ({ database: create(stack, { database: 'prod', certificateAuthorities: CERTIFICATE }) }));
    expect(serverOf(template)).toContain("dbname='prod' ");
    expect(objectOf(template, 'ConfigMap').data['server-ca.pem']).toBe(CERTIFICATE);
  });
});

test('defaults: what is imported', () => {
  const security = (stack: Stack) => [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Server', 'sg-5')];
  for (const database of [
    (stack: Stack) => AirflowDatabase.fromInstance(rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'Database', {
      instanceIdentifier: 'a', instanceEndpointAddress: HOST, port: 6000, securityGroups: security(stack), engine: postgres,
    }), secretIn(stack)),
    (stack: Stack) => AirflowDatabase.fromCluster(rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
      clusterIdentifier: 'a', clusterEndpointAddress: HOST, port: 6000, securityGroups: security(stack),
    }), secretIn(stack)),
  ]) {
    const { template } = synthAirflow((stack) => ({ database: database(stack) }));
    expect(serverOf(template)).toContain('host=db.example.com port=6000 ');
    expect(rulesOf(template)).toEqual([expect.objectContaining({ GroupId: 'sg-5', FromPort: 6000 })]);
  }
});

describe.each<[string, () => AirflowDatabase, string[]]>([
  ['inCluster', AirflowDatabase.inCluster, ['hostname', 'port']],
  ['aurora', AirflowDatabase.aurora, ['hostname', 'port', 'secret', 'connections', 'cluster']],
  ['rds', AirflowDatabase.rds, ['hostname', 'port', 'secret', 'connections', 'instance']],
])('the attribute of %s', (_name, create, attributes) => {
  test('has what there is', () => {
    const { database } = synthAirflow({ database: create() }).airflow;
    const { hostname, port, secret, connections, cluster, instance } = database;
    const defined = Object.entries({ hostname, port, secret, connections, cluster, instance }).filter(([, value]) => value !== undefined);
    expect(defined.map(([name]) => name)).toEqual(attributes);
  });
});

test.each<[string, Partial<EndpointDatabaseOptions>, string]>([
  ['the host is a URL', { host: 'postgresql://db' }, "'database.host' must be a host name without a protocol and a port, got 'postgresql://db'"],
  ['the port is none', { port: 70000 }, "'database.port' must be a whole number from 1 to 65535, got 70000"],
  ['the name has quotation marks', { database: "a'b" }, "'database.database' must be a name of at most 63 letters, digits, and - _, got 'a'b'"],
  ['the authorities are empty', { certificateAuthorities: '' }, "'database.certificateAuthorities' must be certificates in PEM format, not the name of a file, got ''"],
  ['there is no host', { host: undefined }, "'database.host' must be a host name without a protocol and a port, got undefined"],
  ['the TLS mode is unknown', { sslMode: 'require' as DatabaseSslMode }, "'database.sslMode' must be one of DatabaseSslMode, got 'require'"],
  ['authorities verify nothing', { sslMode: DatabaseSslMode.DISABLE, certificateAuthorities: CERTIFICATE },
    "'database.certificateAuthorities' has no effect together with DatabaseSslMode.DISABLE, which shows no certificate; remove one of them"],
  ['the administrator is not a secret', { adminCredentials: 'admin' as any }, "'database.adminCredentials' must be a secret in AWS Secrets Manager with the fields 'username' and 'password',"
    + " got 'admin'; import it with secretsmanager.Secret.fromSecretNameV2()"],
  ['there is no secret', { credentials: undefined }, "'database.credentials' must be a secret in AWS Secrets Manager with the fields 'username' and 'password',"
    + ' got undefined; import it with secretsmanager.Secret.fromSecretNameV2()'],
])('fails when %s', (_name, options, message) => {
  expect(() => synthAirflow((stack) => ({ database: endpoint(stack, options) }))).toThrow(new Error(`Data/Airflow: ${message}`));
});

test('fails when there are no options', () => {
  expect(() => synthAirflow({ database: AirflowDatabase.fromEndpoint(undefined as any) })).toThrow(
    new Error("Data/Airflow: 'database' must be an object with names and values, got undefined"));
});

test.each(Object.values(DatabaseSslMode))('fails when nothing verifies the certificate and follows the password: %s', (sslMode) => {
  expect(() => synthAirflow((stack) => ({ database: endpoint(stack, { sslMode }), pgBouncer: PgBouncer.disabled() }))).toThrow(
    "'pgBouncer' must be enabled unless 'database' is in the cluster: PgBouncer verifies the certificate of the database and follows its password");
});

test('fails when the server has another engine', () => {
  const stack = newStack();
  const instance = new rds.DatabaseInstance(stack, 'Server', {
    engine: rds.DatabaseInstanceEngine.mysql({ version: rds.MysqlEngineVersion.VER_8_0 }), vpc: importedVpc(stack),
  });
  expect(() => synthAirflow({ database: AirflowDatabase.fromInstance(instance, instance.secret!) })).toThrow(
    "Data/Airflow: 'database' must be a PostgreSQL instance, got the engine 'mysql' of 'Data/Server'");
});

test('fails when the app creates the database in another Region', () => {
  const app = newApp();
  const data = new Stack(app, 'Data', { env });
  const database = CREATED.fromCluster(new Stack(app, 'Foundation', { env: { ...env, region: 'us-east-1' } }));
  expect(() => new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), database })).toThrow(
    `Data/Airflow: 'database' must be created in the account and Region of the deployment (aws://${ACCOUNT}/${REGION}), got aws://${ACCOUNT}/us-east-1`);
});

test('fails when the security group is created in another Region', () => {
  const app = newApp();
  const [data, other] = [new Stack(app, 'Data', { env }), new Stack(app, 'Other', { env: { ...env, region: 'us-east-1' } })];
  const securityGroup = new ec2.SecurityGroup(other, 'Server', { vpc: importedVpc(other) });
  expect(() => new AirflowOnEks(data, 'Airflow', { cluster: importedCluster(data), database: endpoint(data, { securityGroup }) })).toThrow(
    `Data/Airflow: 'database.securityGroup' must be created in the account and Region of the deployment (aws://${ACCOUNT}/${REGION}), got aws://${ACCOUNT}/us-east-1`);
});

test('fails when an imported cluster has no endpoint', () => {
  const server = rds.DatabaseCluster.fromDatabaseClusterAttributes(newStack(), 'Server', { clusterIdentifier: 'server' });
  expect(() => synthAirflow((stack) => ({ database: AirflowDatabase.fromCluster(server, secretIn(stack)) }))).toThrow(new Error(
    "Data/Airflow: 'database' must be a cluster with an endpoint, got 'Data/Server'; import it with 'clusterEndpointAddress' and 'port'"));
});
