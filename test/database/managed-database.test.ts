import { X509Certificate } from 'crypto';
import { Duration, Lazy, RemovalPolicy, Size } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { AirflowDatabase, PgBouncer } from '../../src';
import { Json, objectsOf, resourcesOf, synthAirflow, synthCommunity, valuesOf } from '../util';

const KINDS: [string, () => AirflowDatabase, string][] = [
  ['Aurora', AirflowDatabase.aurora, 'AWS::RDS::DBCluster'],
  ['RDS', AirflowDatabase.rds, 'AWS::RDS::DBInstance'],
];

const configOf = (template: ReturnType<typeof synthAirflow>['template']): Json =>
  objectsOf(template, 'ConfigMap').find(({ metadata }) => metadata.name === 'airflow-pgbouncer')!.data;

describe.each(KINDS)('%s, defaults', (_name, kind, type) => {
  const { template } = synthAirflow({ database: kind() });

  test('encrypted, protected, backed up, with a snapshot when it is removed', () => {
    template.hasResource(type, {
      Properties: { StorageEncrypted: true, DeletionProtection: true, BackupRetentionPeriod: 7, EngineVersion: '16.11' },
      DeletionPolicy: 'Snapshot',
      UpdateReplacePolicy: 'Snapshot',
    });
  });

  test('clients must use TLS, and only the nodes are admitted', () => {
    const groups = [...resourcesOf(template, 'AWS::RDS::DBClusterParameterGroup'), ...resourcesOf(template, 'AWS::RDS::DBParameterGroup')];
    expect(groups.map(({ Parameters }) => Parameters)).toEqual([{ 'rds.force_ssl': '1' }]);
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress')).map(({ Properties }) => Properties)
      .filter(({ Description }) => Description === 'PostgreSQL from the nodes of the Airflow deployment');
    expect(rules.map(({ SourceSecurityGroupId }) => JSON.stringify(SourceSecurityGroupId))).toEqual([expect.stringContaining('AirflowNodePoolsSecurityGroup')]);
  });

  test('nothing of the in-cluster database is created, and nothing warns', () => {
    expect(objectsOf(template).filter(({ metadata, kind: found }) => metadata.name === 'airflow-postgresql' && found !== 'ExternalSecret')).toEqual([]);
    expect(objectsOf(template, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name)).toEqual(['airflow-logs']);
    template.resourceCountIs('AWS::EFS::AccessPoint', 1);
  });

  test('PgBouncer verifies the certificate with the authorities of the Region, on two nodes for stateless components', () => {
    const config = configOf(template);
    expect(config['pgbouncer.ini']).toMatch(/server_tls_sslmode = verify-full\nserver_tls_ca_file = \/etc\/pgbouncer\/server-ca\.pem/);
    expect(config['server-ca.pem'].match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    const { spec } = objectsOf(template, 'Deployment').find(({ metadata }) => metadata.name === 'airflow-pgbouncer')!;
    expect([spec.replicas, spec.template.spec.nodeSelector.type]).toEqual([2, 'af-stateless']);
  });

  test('Airflow has a password of its own, and that of the database is read every minute', () => {
    const intervals = Object.fromEntries(objectsOf(template, 'ExternalSecret').map(({ metadata, spec }) => [metadata.name, spec.refreshInterval]));
    expect([intervals['airflow-postgresql'], intervals['airflow-secret']]).toEqual(['1m', '1h']);
    const { spec } = objectsOf(template, 'Deployment').find(({ metadata }) => metadata.name === 'airflow-pgbouncer')!;
    const { projected } = spec.template.spec.volumes.find(({ name }: Json) => name === 'credentials');
    expect(projected.sources.slice(0, 2)).toEqual([
      { secret: { name: 'airflow-secret', items: [{ key: 'postgresql-password', path: 'client-password' }] } },
      { secret: { name: 'airflow-postgresql', items: [{ key: 'password', path: 'server-password' }] } },
    ]);
  });
});

test('Aurora, defaults: one Serverless v2 instance', () => {
  const { template } = synthAirflow({ database: AirflowDatabase.aurora() });
  template.hasResourceProperties('AWS::RDS::DBCluster', { ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 4 }, DatabaseName: 'airflow' });
  expect(resourcesOf(template, 'AWS::RDS::DBInstance').map(({ DBInstanceClass }) => DBInstanceClass)).toEqual(['db.serverless']);
});

test('Aurora, custom: capacity, a reader in another zone, rotation and removal', () => {
  const { template } = synthAirflow({
    database: AirflowDatabase.aurora({
      minCapacity: 1,
      maxCapacity: 16,
      multiAz: true,
      passwordRotation: Duration.days(30),
      deletionProtection: false,
      removalPolicy: RemovalPolicy.DESTROY,
      backupRetention: Duration.days(35),
      parameters: { log_min_duration_statement: '1000' },
    }),
  });
  template.hasResource('AWS::RDS::DBCluster', {
    Properties: { ServerlessV2ScalingConfiguration: { MinCapacity: 1, MaxCapacity: 16 }, DeletionProtection: false, BackupRetentionPeriod: 35 }, DeletionPolicy: 'Delete',
  });
  template.resourceCountIs('AWS::RDS::DBInstance', 2);
  template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', { RotationRules: { ScheduleExpression: 'rate(30 days)' } });
  template.hasResourceProperties('AWS::RDS::DBClusterParameterGroup', { Parameters: { 'rds.force_ssl': '1', 'log_min_duration_statement': '1000' } });
});

test.each<[string, () => AirflowDatabase]>([
  ['Aurora Serverless', () => AirflowDatabase.aurora({ multiAz: true })],
  ['Aurora, provisioned', () => AirflowDatabase.aurora({ instanceType: new ec2.InstanceType('r8g.large') })],
  ['RDS', () => AirflowDatabase.rds()],
])('%s has a certificate of the only authority that PgBouncer trusts', (_name, create) => {
  const { template } = synthAirflow({ database: create() });
  expect(new X509Certificate(configOf(template)['server-ca.pem']).subject).toContain('Amazon RDS eu-central-1 Root CA RSA2048 G1');
  for (const { CACertificateIdentifier } of resourcesOf(template, 'AWS::RDS::DBInstance')) {
    expect(CACertificateIdentifier).toBe('rds-ca-rsa2048-g1');
  }
});

test('Aurora, custom: provisioned instances', () => {
  const { template } = synthAirflow({ database: AirflowDatabase.aurora({ instanceType: new ec2.InstanceType('r8g.large'), multiAz: true }) });
  expect(resourcesOf(template, 'AWS::RDS::DBInstance').map(({ DBInstanceClass }) => DBInstanceClass)).toEqual(['db.r8g.large', 'db.r8g.large']);
});

test('RDS, defaults and custom', () => {
  synthAirflow({ database: AirflowDatabase.rds() }).template.hasResourceProperties('AWS::RDS::DBInstance', {
    DBInstanceClass: 'db.t4g.medium', AllocatedStorage: '20', MaxAllocatedStorage: 100, MultiAZ: false, StorageType: 'gp3', DBName: 'airflow',
  });
  const options = { instanceType: new ec2.InstanceType('m8g.large'), allocatedStorage: Size.gibibytes(50), maxAllocatedStorage: Size.gibibytes(500), multiAz: true };
  synthAirflow({ database: AirflowDatabase.rds(options) }).template.hasResourceProperties('AWS::RDS::DBInstance', {
    DBInstanceClass: 'db.m8g.large', AllocatedStorage: '50', MaxAllocatedStorage: 500, MultiAZ: true,
  });
});

test('RDS, defaults: storage of more than 50 GiB may double', () => {
  synthAirflow({ database: AirflowDatabase.rds({ allocatedStorage: Size.gibibytes(200) }) }).template.hasResourceProperties('AWS::RDS::DBInstance', {
    AllocatedStorage: '200', MaxAllocatedStorage: 400,
  });
});

test('both charts connect to PgBouncer', () => {
  const { template } = synthCommunity({ database: AirflowDatabase.aurora() });
  expect(valuesOf(template).externalDatabase).toMatchObject({ host: 'airflow-pgbouncer.airflow', user: 'airflow', passwordSecret: 'airflow-secret' });
  expect(objectsOf(template, 'Deployment').map(({ metadata }) => metadata.name)).toEqual(['airflow-pgbouncer']);
});

test('custom: other authorities', () => {
  const certificateAuthorities = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const { template } = synthAirflow({ database: AirflowDatabase.rds({ certificateAuthorities }) });
  expect(configOf(template)['server-ca.pem']).toBe(certificateAuthorities);
  template.hasResourceProperties('AWS::RDS::DBInstance', { StorageEncrypted: Match.anyValue() });
});

test.each<[string, () => unknown, string]>([
  ['backups are kept for half a day', () => synthAirflow({ database: AirflowDatabase.rds({ backupRetention: Duration.hours(12) }) }),
    "'database.backupRetention' must be a whole number of days from 1 to 35, got 0.5"],
  ['the authorities are the name of a file', () => synthAirflow({ database: AirflowDatabase.aurora({ certificateAuthorities: 'rds.pem' }) }),
    "'database.certificateAuthorities' must be certificates in PEM format, not the name of a file, got 'rds.pem'"],
  ['the authorities are empty', () => synthAirflow({ database: AirflowDatabase.rds({ certificateAuthorities: '' }) }),
    "'database.certificateAuthorities' must be certificates in PEM format, not the name of a file, got ''"],
  ['nothing verifies the certificate', () => synthAirflow({ database: AirflowDatabase.aurora(), pgBouncer: PgBouncer.disabled() }),
    "'pgBouncer' must be enabled unless 'database' is in the cluster: PgBouncer verifies the certificate of the database and follows its password"],
  ['the authorities contain a private key', () => synthAirflow({
    database: AirflowDatabase.rds({ certificateAuthorities: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nMIIB\n' }),
  }), "'database.certificateAuthorities' must not contain a private key in plain text; remove it, because PgBouncer needs only the certificates"],
  ['the minimum capacity is no half unit', () => synthAirflow({ database: AirflowDatabase.aurora({ minCapacity: 0.3 }) }),
    "'database.minCapacity' must be from 0 to 256 Aurora capacity units in steps of 0.5, got 0.3"],
  ['only CloudFormation knows the capacity', () => synthAirflow({ database: AirflowDatabase.aurora({ minCapacity: Lazy.number({ produce: () => 1 }) }) }),
    "'database.minCapacity' must be from 0 to 256 Aurora capacity units in steps of 0.5, got a token"],
  ['provisioned instances have a minimum capacity', () => synthAirflow({ database: AirflowDatabase.aurora({ instanceType: new ec2.InstanceType('r8g.large'), minCapacity: 1 }) }),
    "'database.minCapacity' has no effect together with 'database.instanceType', which has a fixed capacity; remove one of them"],
  ['provisioned instances have a maximum capacity', () => synthAirflow({ database: AirflowDatabase.aurora({ instanceType: new ec2.InstanceType('r8g.large'), maxCapacity: 8 }) }),
    "'database.maxCapacity' has no effect together with 'database.instanceType', which has a fixed capacity; remove one of them"],
  ['the maximum capacity is below the minimum', () => synthAirflow({ database: AirflowDatabase.aurora({ minCapacity: 8 }) }),
    "'database.maxCapacity' must be from 8 to 256 Aurora capacity units in steps of 0.5, got 4"],
  ['the instance type has the prefix of RDS', () => synthAirflow({ database: AirflowDatabase.rds({ instanceType: new ec2.InstanceType('db.m8g.large') }) }),
    "'database.instanceType' must be an instance type without the prefix 'db.', which is added, got 'db.m8g.large'"],
  ['the storage is too small', () => synthAirflow({ database: AirflowDatabase.rds({ allocatedStorage: Size.gibibytes(5) }) }),
    "'database.allocatedStorage' must be a whole number of GiB of at least 20, got 5 GiB"],
  ['the storage grows to less than it is', () => synthAirflow({
    database: AirflowDatabase.rds({ allocatedStorage: Size.gibibytes(200), maxAllocatedStorage: Size.gibibytes(100) }),
  }), "'database.maxAllocatedStorage' must be a whole number of GiB of at least 200, got 100 GiB"],
  ['the subnets are in one zone', () => synthAirflow({ database: AirflowDatabase.rds({ subnets: { availabilityZones: ['eu-central-1a'] } }) }),
    "'database.subnets' must be in at least two Availability Zones, got eu-central-1a"],
])('fails when %s', (_name, synth, message) => {
  expect(synth).toThrow(new Error(`Data/Airflow: ${message}`));
});
