import { Construct } from 'constructs';
import { Cluster } from '../cluster';
import { applyManifest } from '../kubernetes';
import { checkFormat } from '../validation';

interface IngressClassContext {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly groupName: string;
}

/** The class of the Ingresses of one deployment. */
export interface BoundIngressClass {
  readonly name: string;
  /** The group for an annotation, undefined if the class names it. */
  readonly groupName?: string;
  /** What must exist as long as an Ingress of the class. */
  readonly dependables: Construct[];
}

/**
 * The IngressClass of the web UI, which determines the controller that creates the load balancer.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
 */
export class AlbIngressClass {
  /**
   * Use an IngressClass of the AWS Load Balancer Controller.
   *
   * @param name the name of the class; `alb` is the one that the controller's Helm chart creates
   */
  public static existing(name: string): AlbIngressClass {
    return new AlbIngressClass((scope, { groupName }) => {
      checkFormat(scope, 'ingress.ingressClass', name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'the name of an IngressClass');
      return { name, groupName, dependables: [] };
    });
  }

  /**
   * Create an IngressClass for the controller of EKS Auto Mode, with the name `<namespace>-alb`.
   *
   * @see https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html
   */
  public static autoMode(): AlbIngressClass {
    return new AlbIngressClass((scope, { cluster, namespace, groupName }) => {
      const name = `${namespace}-alb`;
      const [apiGroup, kind] = ['eks.amazonaws.com', 'IngressClassParams'];
      const manifest = applyManifest(scope, 'Class', cluster, [
        // An Ingress cannot name its group there, only its class can.
        { apiVersion: `${apiGroup}/v1`, kind, metadata: { name }, spec: { group: { name: groupName } } },
        { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name }, spec: { controller: `${apiGroup}/alb`, parameters: { apiGroup, kind, name } } },
      ], { overwrite: true });
      return { name, dependables: [manifest] };
    });
  }

  private constructor(private readonly create: (scope: Construct, context: IngressClassContext) => BoundIngressClass) {}

  /** @internal */
  public _bind(scope: Construct, context: IngressClassContext): BoundIngressClass {
    return this.create(scope, context);
  }
}
