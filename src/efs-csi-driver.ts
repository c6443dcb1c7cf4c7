import { Aws } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import iam = require('aws-cdk-lib/aws-iam');
import { Construct } from 'constructs';
import { installChart, serviceAccountRole } from './cluster';
import { fail } from './errors';
import { AIRFLOW_NODES } from './node-pools';
import { EFS_CSI_DRIVER_CHART } from './versions';

/**
 * Who brings the EFS CSI driver, and where it runs. A cluster has one at most.
 */
export enum EfsCsiDriverSetup {
  /**
   * Install it, on the nodes of Airflow only: nothing else in the cluster mounts EFS.
   */
  ONLY_AIRFLOW_NODES = 'only-airflow-nodes',

  /**
   * Install it, on all nodes of the cluster.
   */
  ALL_NODES = 'all-nodes',

  /**
   * The cluster has it: the EKS add-on, a Helm release, or the one of an `AirflowOnEks` in another app.
   */
  EXISTING = 'existing',
}

/**
 * Properties of `EfsCsiDriver`.
 */
export interface EfsCsiDriverProps {
  /**
   * The cluster.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * Whether the driver runs on all nodes, or on the nodes labelled `role=airflow`.
   *
   * @default false
   */
  readonly allNodes?: boolean;
}

const SERVICE_ACCOUNT = 'efs-csi-controller-sa';

/**
 * The EFS CSI driver, by which pods mount EFS file systems. One per cluster.
 *
 * @see https://github.com/kubernetes-sigs/aws-efs-csi-driver
 */
export class EfsCsiDriver extends Construct {
  /**
   * The driver of a cluster: the one that it was given before, or a new one.
   *
   * It is a child of the cluster, so that it outlives each Airflow that uses it.
   *
   * @param props the cluster, and the nodes that the driver runs on
   * @throws if the cluster has a driver that runs on other nodes
   */
  public static forCluster(props: EfsCsiDriverProps): EfsCsiDriver {
    const id = 'AirflowEfsCsiDriver';
    const allNodes = props.allNodes ?? false;
    const existing = props.cluster.node.tryFindChild(id) as EfsCsiDriver | undefined;
    if (existing && existing.allNodes !== allNodes) {
      const words = (all: boolean) => all ? 'ALL_NODES' : 'ONLY_AIRFLOW_NODES';
      fail(existing, `'efsCsiDriver' must be the same for each Airflow of a cluster: it is ${words(existing.allNodes)} already, got ${words(allNodes)}`);
    }
    return existing ?? new EfsCsiDriver(props.cluster, id, props);
  }

  /**
   * The role of the controller, which makes and removes access points for dynamic claims.
   */
  public readonly role: iam.Role;

  /**
   * Whether the driver runs on all nodes, or on the nodes labelled `role=airflow`.
   */
  public readonly allNodes: boolean;

  constructor(scope: Construct, id: string, props: EfsCsiDriverProps) {
    super(scope, id);

    this.allNodes = props.allNodes ?? false;
    this.role = serviceAccountRole(this, 'Role', {
      cluster: props.cluster,
      namespace: 'kube-system',
      serviceAccount: SERVICE_ACCOUNT,
      description: 'Controller of the EFS CSI driver',
      statements: controllerStatements(),
    });

    const tolerations = AIRFLOW_NODES.tolerations!.map((toleration) => ({ operator: 'Equal', ...toleration }));
    const onAirflowNodes = {
      tolerations,
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{
              matchExpressions: Object.entries(AIRFLOW_NODES.labels).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
            }],
          },
        },
      },
      nodeSelector: AIRFLOW_NODES.labels,
    };
    installChart(this, 'Chart', props.cluster, {
      chart: EFS_CSI_DRIVER_CHART,
      release: 'aws-efs-csi-driver',
      namespace: 'kube-system',
      // It must not wait for its pods: they may be pinned to nodes that come later. Claims wait for the driver by themselves.
      values: {
        controller: {
          ...this.allNodes ? { tolerations: [{ operator: 'Exists' }] } : onAirflowNodes,
          serviceAccount: { create: true, name: SERVICE_ACCOUNT, annotations: { 'eks.amazonaws.com/role-arn': this.role.roleArn } },
        },
        // The chart's own toleration already lets these pods onto every node.
        ...this.allNodes ? {} : { node: onAirflowNodes },
      },
    });
  }
}

/**
 * What the controller does, on access points that carry its tag only.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEFSCSIDriverPolicy.html
 */
function controllerStatements(): iam.PolicyStatement[] {
  const arn = (resource: string) => `arn:${Aws.PARTITION}:elasticfilesystem:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}/*`;
  const tag = 'efs.csi.aws.com/cluster';
  return [
    new iam.PolicyStatement({
      sid: 'Describe',
      actions: ['DescribeAccessPoints', 'DescribeFileSystems', 'DescribeMountTargets'].map((action) => `elasticfilesystem:${action}`),
      resources: [arn('file-system'), arn('access-point')],
    }),
    new iam.PolicyStatement({
      sid: 'DescribeZones', // cannot be limited to a resource
      actions: ['ec2:DescribeAvailabilityZones'],
      resources: ['*'],
    }),
    new iam.PolicyStatement({
      sid: 'CreateTagged',
      actions: ['elasticfilesystem:CreateAccessPoint'],
      resources: [arn('file-system')],
      conditions: { 'StringEquals': { [`aws:RequestTag/${tag}`]: 'true' }, 'ForAllValues:StringEquals': { 'aws:TagKeys': [tag] } },
    }),
    new iam.PolicyStatement({
      sid: 'TagNew',
      actions: ['elasticfilesystem:TagResource'],
      resources: [arn('access-point')],
      conditions: { StringEquals: { 'elasticfilesystem:CreateAction': 'CreateAccessPoint', [`aws:RequestTag/${tag}`]: 'true' } },
    }),
    new iam.PolicyStatement({
      sid: 'DeleteTagged',
      actions: ['elasticfilesystem:DeleteAccessPoint'],
      resources: [arn('access-point')],
      conditions: { StringEquals: { [`aws:ResourceTag/${tag}`]: 'true' } },
    }),
  ];
}
