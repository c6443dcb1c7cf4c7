import { Annotations, Token } from 'aws-cdk-lib';
import ec2 = require('aws-cdk-lib/aws-ec2');
import eks = require('aws-cdk-lib/aws-eks');
import { Construct } from 'constructs';
import { NodePlacement } from './placement';
import { checkNoSecret } from '../config/plain-text';
import { checkFormat, checkLabels, fail, shown } from '../validation';

/** Options of one node pool that are checked before resources of it exist. */
interface PoolInput {
  readonly instanceTypes?: ec2.InstanceType[];
  readonly subnets?: ec2.SubnetSelection;
  readonly labels?: Record<string, string>;
  readonly tags?: Record<string, string>;
}

const INSTANCE_TYPE = /^[a-z][\w-]*\d[\w-]*\.[a-z0-9-]+$/;

/** Fails where the CDK would with an error that names no prop, and where EKS would during deployment. */
export function checkPoolInput(scope: Construct, prop: string, pool: PoolInput, vpc: ec2.IVpc): void {
  const { instanceTypes = [], subnets, labels = {}, tags = {} } = pool;
  for (const type of instanceTypes) {
    if (typeof type !== 'object' || type === null) {
      fail(scope, `'${prop}.instanceTypes' must contain an ec2.InstanceType such as new ec2.InstanceType('m7a.xlarge'), got ${shown(type)}`);
    }
    checkFormat(scope, `${prop}.instanceTypes`, type.toString(), INSTANCE_TYPE, "instance types such as 'm7a.xlarge'");
  }
  if (subnets === undefined && vpc.privateSubnets.length === 0) {
    fail(scope, `'${prop}.subnets' must be set, because the VPC of the cluster has no private subnets with a route to the internet, got none;`
      + ' use { subnetType: ec2.SubnetType.PUBLIC }, or the subnets of your nodes');
  }
  checkLabels(scope, `${prop}.labels`, labels);
  checkNoSecret(scope, prop, { labels, tags });
}

/** Fails unless the labels and the taints of existing nodes are valid. */
export function checkPlacement(scope: Construct, prop: string, placement: NodePlacement): void {
  checkLabels(scope, `${prop}.labels`, placement.labels ?? {});
  for (const { effect } of placement.taints ?? []) {
    if (effect !== undefined && !Token.isUnresolved(effect) && !Object.values(eks.TaintEffect).includes(effect)) {
      fail(scope, `'${prop}.taints' must have an effect of eks.TaintEffect, got ${shown(effect)}`);
    }
  }
}

/** Fails if there are nodes for workers that do not exist. */
export function checkWorkersPool(scope: Construct, workers: object | undefined, hasWorkers: boolean): void {
  if (workers !== undefined && !hasWorkers) {
    fail(scope, "'nodePools.workers' must not be set with AirflowExecutor.LOCAL, whose tasks run in the scheduler, got nodes for workers;"
      + " remove it, and use 'nodePools.stateless' for the nodes of the scheduler");
  }
}

/** Fails if there are nodes for a database and a broker of which neither is in the cluster. */
export function checkDatabasePool(scope: Construct, database: object | undefined, hasDatabase: boolean): void {
  if (database !== undefined && !hasDatabase) {
    fail(scope, "'nodePools.database' must not be set, because neither the database nor the broker runs in the cluster, got nodes for them; remove it");
  }
}

/** Warns if EC2 interrupts all Spot nodes of a pool at once when it runs out of one instance type. */
export function warnOfSingleSpotType(scope: Construct, prop: string, instanceType: string): void {
  Annotations.of(scope).addWarningV2('airflow-on-eks:singleSpotInstanceType',
    `'${prop}' has only Spot instances of one instance type (${instanceType}): there are no nodes while EC2 has no capacity of that type; add types of the same size, or use On-Demand instances`);
}
