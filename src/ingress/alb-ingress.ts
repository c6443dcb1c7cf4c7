import { Duration } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
import { Construct } from 'constructs';
import { AlbIngressClass, BoundIngressClass } from './alb-ingress-class';
import { AlbIngressOptions, listenersOf } from './alb-ingress-options';
import { checkIngress } from './checks';
import { WebService } from '../chart/chart-definition';
import { Cluster } from '../cluster';
import { applyManifest, KubernetesObject, readObject } from '../kubernetes';

/**
 * The Application Load Balancer in front of the web UI.
 */
export interface IAlbIngress {
  /**
   * The DNS name of the load balancer, for a DNS record.
   *
   * A deployment that uses the name waits up to ten minutes for the load balancer.
   */
  readonly loadBalancerDnsName: string;
}

export interface AlbIngressProps extends AlbIngressOptions {
  readonly cluster: Cluster;
  /** The namespace of the services, and the name of the Ingress. */
  readonly namespace: string;
  /** Whether the nodes are those of EKS Auto Mode. */
  readonly autoMode: boolean;
  readonly web: WebService;
  /** Undefined if Flower does not run. */
  readonly flower?: WebService;
}

/** The Ingress from which the AWS Load Balancer Controller creates a load balancer. */
export class AlbIngress extends Construct implements IAlbIngress {
  private dnsName?: Construct & { readonly value: string };
  private readonly ingressClass: BoundIngressClass;
  private readonly manifest: Construct;

  constructor(scope: Construct, id: string, private readonly props: AlbIngressProps) {
    super(scope, id);
    checkIngress(this, props);
    const { cluster, namespace, web, flower } = props;
    const ingressClass = props.ingressClass ?? (props.autoMode ? AlbIngressClass.autoMode() : AlbIngressClass.existing('alb'));
    this.ingressClass = ingressClass._bind(this, { cluster, namespace, groupName: props.groupName ?? namespace });
    this.manifest = applyManifest(this, 'Manifest', cluster, [
      this.ingress(namespace, props.host, { ...web, healthCheckPath: props.healthCheckPath ?? web.healthCheckPath }, {}),
      // Flower requires its password for every path. A response that asks for it shows that Flower is healthy.
      ...flower && props.flowerHost ? [this.ingress(`${namespace}-flower`, props.flowerHost, flower, { 'success-codes': '200,401' })] : [],
    ], { overwrite: true });
    this.manifest.node.addDependency(...this.ingressClass.dependables); // The class is deleted when the load balancer is.
  }

  public get loadBalancerDnsName(): string {
    if (!this.dnsName) {
      const { cluster, namespace } = this.props;
      this.dnsName = readObject(this, 'DnsName', cluster, {
        objectType: 'ingress',
        objectName: namespace,
        objectNamespace: namespace,
        jsonPath: '.status.loadBalancer.ingress[0].hostname',
        timeout: Duration.minutes(10),
      });
      this.dnsName.node.addDependency(this.manifest);
    }
    return this.dnsName.value;
  }

  private ingress(name: string, host: string | undefined, service: WebService, annotations: Record<string, string>): KubernetesObject {
    const { namespace, labels } = this.props;
    const backend = { service: { name: service.name, port: { number: service.port } } };
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name, namespace, labels, annotations: this.annotations(service, annotations) },
      spec: {
        ingressClassName: this.ingressClass.name,
        rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
      },
    };
  }

  private annotations(service: WebService, more: Record<string, string>): Record<string, string> {
    const { props } = this;
    const alb: Record<string, string | undefined> = {
      'scheme': props.scheme ?? eks.AlbScheme.INTERNAL,
      'target-type': props.targetType ?? elbv2.TargetType.IP,
      'backend-protocol': elbv2.ApplicationProtocol.HTTP,
      'healthcheck-path': service.healthCheckPath,
      'listen-ports': JSON.stringify(listenersOf(props).map(({ protocol, port }) => ({ [protocol]: port }))),
      'group.name': this.ingressClass.groupName,
      'group.order': props.groupOrder?.toString(),
      'certificate-arn': props.certificate?.certificateArn,
      'ssl-policy': props.certificate && (props.sslPolicy ?? elbv2.SslPolicy.RECOMMENDED_TLS),
      'inbound-cidrs': props.inboundCidrs?.join(','),
      'wafv2-acl-arn': props.webAclArn,
      ...more,
    };
    return {
      ...Object.fromEntries(Object.entries(alb).filter((entry): entry is [string, string] => entry[1] !== undefined)
        .map(([key, value]) => [`alb.ingress.kubernetes.io/${key}`, value])),
      ...props.annotations,
    };
  }
}
