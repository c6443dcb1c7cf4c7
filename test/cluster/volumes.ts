/**
 * Stands in for Amazon EFS: an access point becomes a folder that all nodes share, such as an extra mount of kind.
 */
import { Value } from './intrinsics';
import { Properties } from './provider';
import { Tools } from './tools';

/** Any image with `install`, on Linux. */
const IMAGE = 'docker.io/library/busybox:1.37';

export class Volumes {
  constructor(private readonly tools: Tools, private readonly folder: string) {}

  /** Makes the folder of an access point with its owner and permissions, by a pod on any node. */
  public async create(accessPoint: string, { RootDirectory: { CreationInfo: { OwnerUid, OwnerGid, Permissions } } }: Properties): Promise<void> {
    const spec = {
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }], // a node group's taints, and nodes that are not in a node group yet
      containers: [{
        name: 'install',
        image: IMAGE,
        command: ['install', '-d', '-o', OwnerUid, '-g', OwnerGid, '-m', Permissions, `/shared/${accessPoint}`],
        volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
      }],
      volumes: [{ name: 'shared', hostPath: { path: this.folder, type: 'Directory' } }], // not a new one on a node that does not share it
    };
    const metadata = { name: accessPoint, namespace: 'default' };
    await this.tools.apply({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: { spec } } });
    const job = ['job', accessPoint, '--namespace', 'default'];
    try {
      await this.tools.kubectl('wait', ...job, '--for', 'condition=Complete', '--timeout', '180s');
    } finally {
      await this.tools.kubectl('delete', ...job);
    }
  }

  /** The source of a volume of the EFS CSI driver, `fs-...::fsap-...`. */
  public source(volumeHandle: string): Value {
    return { hostPath: { path: `${this.folder}/${volumeHandle.split('::')[1]}`, type: 'Directory' } };
  }
}
