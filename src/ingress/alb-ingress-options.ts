import { Tokenization } from 'aws-cdk-lib';
import acm = require('aws-cdk-lib/aws-certificatemanager');
import eks = require('aws-cdk-lib/aws-eks');
import elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
import { AlbIngressClass } from './alb-ingress-class';

/**
 * A listener port of a load balancer.
 */
export interface AlbListenerPort {
  /**
   * The protocol, `HTTP` or `HTTPS`.
   *
   * `HTTPS` requires the `certificate` of the Ingress.
   */
  readonly protocol: elbv2.ApplicationProtocol;

  /**
   * The port number, from 1 to 65535.
   */
  readonly port: number;
}

/**
 * The Application Load Balancer in front of the web UI.
 *
 * The AWS Load Balancer Controller, which the cluster must run, or EKS Auto Mode creates the load balancer for an Ingress. It finds the subnets
 * by the tag `kubernetes.io/role/internal-elb` or, for an internet-facing load balancer, `kubernetes.io/role/elb`. AWS bills one load balancer per
 * `groupName`.
 *
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
 */
export interface AlbIngressOptions {
  /**
   * Which controller creates the load balancer.
   *
   * @default - `AlbIngressClass.autoMode()` with `AirflowNodePools.autoMode()`, otherwise `AlbIngressClass.existing('alb')`
   */
  readonly ingressClass?: AlbIngressClass;

  /**
   * The host name of the web UI, in lowercase and without `*`, such as `airflow.example.com`.
   *
   * Create its DNS record yourself; `airflow.ingress.loadBalancerDnsName` is the DNS name of the load balancer. The options `certificate` and
   * `flowerHost` require a host name.
   *
   * @default - any host name that resolves to the load balancer
   */
  readonly host?: string;

  /**
   * The certificate for the host name, in the Region of the deployment.
   *
   * @default - HTTP without encryption, with a warning
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Whether the load balancer can be reached only from the VPC and connected networks, or from the internet.
   *
   * An internet-facing load balancer without `inboundCidrs` causes a warning at synthesis.
   *
   * @default eks.AlbScheme.INTERNAL
   */
  readonly scheme?: eks.AlbScheme;

  /**
   * Whether requests are sent to the pods (`IP`) or to a port of each node (`INSTANCE`).
   *
   * @default elbv2.TargetType.IP
   */
  readonly targetType?: elbv2.TargetType;

  /**
   * The group of Ingresses that share one load balancer.
   *
   * Everyone who can create an Ingress in the cluster can add it to the group, and so receive requests of this load balancer.
   *
   * @default - the namespace
   * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#ingressgroup
   */
  readonly groupName?: string;

  /**
   * The order of the rules in the group, from -1000 to 1000: rules with a lower number are evaluated first.
   *
   * @default - 0; the rules of Ingresses with the same number are ordered by namespace and name
   */
  readonly groupOrder?: number;

  /**
   * The listener ports of the load balancer, at least one.
   *
   * To redirect HTTP to HTTPS, specify HTTP 80 and HTTPS 443, and the annotation `alb.ingress.kubernetes.io/ssl-redirect: '443'`. Both without the
   * annotation cause a warning at synthesis.
   *
   * @default - HTTPS 443 with a certificate, otherwise HTTP 80
   */
  readonly listenerPorts?: AlbListenerPort[];

  /**
   * The path of the health check of the web UI.
   *
   * @default - `/api/v2/monitor/health` (Airflow 3), `/health` (Airflow 2)
   */
  readonly healthCheckPath?: string;

  /**
   * The CIDR blocks from which clients can connect to the load balancer, at least one.
   *
   * @default - all addresses: an internal load balancer can be reached from the VPC and connected networks, an internet-facing one from the whole
   * internet
   */
  readonly inboundCidrs?: string[];

  /**
   * The TLS protocols and ciphers of HTTPS listeners.
   *
   * @default elbv2.SslPolicy.RECOMMENDED_TLS
   * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
   */
  readonly sslPolicy?: elbv2.SslPolicy;

  /**
   * The ARN of an AWS WAF web ACL, which filters the requests.
   *
   * It must be a regional web ACL in the Region of the deployment.
   *
   * @default - no AWS WAF
   * @see https://docs.aws.amazon.com/waf/latest/developerguide/web-acl.html
   */
  readonly webAclArn?: string;

  /**
   * The host name of Flower, which is then also behind the load balancer.
   *
   * Flower shows and controls the Celery workers. Its user is `airflow`, with the password `secrets.flowerPassword`. This option requires `host`,
   * an executor with Celery workers, and the target type `IP`. The certificate must be valid for both host names.
   *
   * @default - Flower can be reached only with `kubectl port-forward`
   */
  readonly flowerHost?: string;

  /**
   * Additional annotations of the Ingresses of the web UI and Flower.
   *
   * They take precedence over those of the library.
   *
   * @default - no additional annotations
   */
  readonly annotations?: { [key: string]: string };

  /**
   * Labels of the Ingresses of the web UI and Flower.
   *
   * @default - no labels
   */
  readonly labels?: { [key: string]: string };
}

/** The listener ports of the load balancer. */
export function listenersOf({ listenerPorts, certificate }: AlbIngressOptions): AlbListenerPort[] {
  const { HTTP, HTTPS } = elbv2.ApplicationProtocol;
  return listenerPorts ?? [certificate ? { protocol: HTTPS, port: 443 } : { protocol: HTTP, port: 80 }];
}

/** The URL of the web UI, if a host name is known. */
export function ingressUrl(options: AlbIngressOptions = {}, host = options.host): string | undefined {
  const listeners = listenersOf(options);
  const secure = listeners.find(({ protocol }) => protocol === elbv2.ApplicationProtocol.HTTPS);
  const port = (secure ?? listeners[0])?.port;
  if (!host || port === undefined) {
    return undefined;
  }
  return `${secure ? 'https' : 'http'}://${host}${port === (secure ? 443 : 80) ? '' : `:${Tokenization.stringifyNumber(port)}`}`;
}

/** Whether the Service of the web UI needs a port on each node. */
export function needsNodePort(options?: AlbIngressOptions): boolean {
  return options?.targetType === elbv2.TargetType.INSTANCE;
}
