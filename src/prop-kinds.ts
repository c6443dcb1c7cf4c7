import { RemovalPolicy, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
import { Construct } from 'constructs';
import { checkDuration, checkList, fail, shown } from './validation';

/** Fails if a value is not of a kind. */
type Check = (scope: Construct, prop: string, value: any) => void;

const must = (is: (value: any) => boolean, description: string): Check => (scope, prop, value) => {
  if (!is(value)) {
    fail(scope, `'${prop}' must be ${description}, got ${shown(value)}`);
  }
};

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a class of the library makes. It is recognized by its internal method, because an app may contain two copies of the library. */
const madeBy = (example: string) =>
  must((value) => typeof value?._bind === 'function' || value?._definition !== undefined, `made by a method such as ${example}`);

const anObject = must(isObject, 'an object with names and values');
const aSize = must((value) => typeof value?.toMebibytes === 'function', 'a Size such as Size.gibibytes(20)');
const aBoolean = must((value) => typeof value === 'boolean', 'true or false');
const aConstruct = (example: string) => must((value) => Construct.isConstruct(value), `a construct such as ${example}`);
const anInstanceType = must(isObject, "an ec2.InstanceType such as new ec2.InstanceType('m7a.xlarge')");
const isOneOf = (values: object) => (value: string) => Token.isUnresolved(value) || Object.values(values).includes(value);
const oneOf = (name: string, values: object) => must(isOneOf(values), `one of ${name}`);

/**
 * The kinds of props by their names, or by their paths where a name has several.
 *
 * Texts, numbers, and all that has a better error are checked where they are used.
 */
const KINDS: Record<string, Check> = {
  'chart': madeBy('AirflowChart.official()'),
  'nodePools': madeBy('AirflowNodePools.managedNodeGroups()'),
  'database': madeBy('AirflowDatabase.inCluster()'),
  'pgBouncer': madeBy('PgBouncer.enabled()'),
  'broker': madeBy('CeleryBroker.inCluster()'),
  'logs': madeBy('AirflowLogs.onFileSystem()'),
  'image': madeBy("AirflowImage.fromRegistry('apache/airflow', '3.3.2')"),
  'efsCsiDriver': madeBy('EfsCsiDriverInstallation.existing()'),
  'externalSecrets': madeBy('ExternalSecretsInstallation.existing()'),
  'keda': madeBy('KedaInstallation.existing()'),
  'secretsBackend': madeBy("SecretsBackend.secretsManager('airflow')"),
  'ingressClass': madeBy("AlbIngressClass.existing('alb')"),

  ...each(anObject, ['apiServer', 'scheduler', 'dagProcessor', 'triggerer', 'workers', 'gitSync', 'persistence', 'secrets', 'config', 'environment',
    'environmentSecrets', 'databaseCleanup', 'ingress', 'helmValues', 'annotations', 'labels', 'tags', 'parameters', 'backup', 'storage', 'subnets',
    'vpcSubnets', 'nodeClass', 'nodePools.stateless', 'nodePools.database']),
  ...each(checkList, ['users', 'connections', 'variables', 'pools', 'pipPackages', 'removedHelmValues', 'listenerPorts', 'inboundCidrs',
    'instanceTypes', 'instanceFamilies', 'instanceSizes', 'managedPolicies', 'taints']),
  ...each(checkDuration, ['readyTimeout', 'retention', 'backupRetention', 'passwordRotation', 'terminationGracePeriod', 'period']),
  ...each(aSize, ['diskSize', 'allocatedStorage', 'maxAllocatedStorage', 'backup.maxSize', 'storage.size']),
  ...each(aBoolean, ['multiAz', 'deletionProtection', 'automaticBackups', 'clusterAutoscaler']),
  'database.database': must((value) => typeof value === 'string', 'the name of a database'),
  ...each(anInstanceType, ['instanceType', 'nodeType']),

  'bucket': aConstruct("Bucket.fromBucketName(this, 'Bucket', 'name')"),
  'controllerRole': aConstruct('Role.fromRoleName()'),
  'credentials': aConstruct('Secret.fromSecretNameV2()'),
  'encryptionKey': aConstruct('Key.fromKeyArn()'),
  'keyPair': aConstruct('KeyPair.fromKeyPairName()'),
  'securityGroup': aConstruct('SecurityGroup.fromSecurityGroupId()'),

  'capacityType': oneOf('eks.CapacityType', eks.CapacityType),
  'capacityTypes': (scope, prop, value) => {
    checkList(scope, prop, value);
    value.forEach((item: unknown) => oneOf('eks.CapacityType', eks.CapacityType)(scope, prop, item));
  },
  'targetType': oneOf('elbv2.TargetType', elbv2.TargetType),
  'removalPolicy': oneOf('RemovalPolicy', RemovalPolicy),
};

function each(check: Check, props: string[]): Record<string, Check> {
  return Object.fromEntries(props.map((prop) => [prop, check]));
}

/** Props whose value is an object with props. */
const STRUCTS = ['apiServer', 'scheduler', 'dagProcessor', 'triggerer', 'workers', 'gitSync', 'persistence', 'databaseCleanup', 'ingress', 'backup',
  'storage', 'nodePools.stateless', 'nodePools.database'];

/** Fails if a prop has a value of another kind: nothing checks the types of an app in JavaScript. */
export function checkKinds(scope: Construct, props: object, path = ''): void {
  for (const [name, value] of Object.entries(props).filter(([, given]) => given !== undefined)) {
    const prop = `${path}${name}`;
    const key = [prop, prop.replace(/^database\./, '')].find((known) => known.includes('.') && KINDS[known]) ?? name;
    KINDS[key]?.(scope, prop, value);
    if (STRUCTS.includes(key)) {
      checkKinds(scope, value, `${prop}.`);
    }
  }
}

/** Fails if the options of a method, or one of them, are of another kind. */
export function checkOptions(scope: Construct, prop: string, options: object): void {
  anObject(scope, prop, options);
  checkKinds(scope, options, `${prop}.`);
}
