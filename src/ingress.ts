import { Annotations, Duration, Token } from 'aws-cdk-lib';
import acm = require('aws-cdk-lib/aws-certificatemanager');
import eks = require('aws-cdk-lib/aws-eks');
import eksv2 = require('aws-cdk-lib/aws-eks-v2');
import { Construct } from 'constructs';
import { applyManifest, KubernetesObject, readObject } from './cluster';
import { checkFormat, fail } from './errors';

/**
 * Who can reach a load balancer.
 */
export enum AlbIngressScheme {
  /**
   * Who is in the VPC, or connected to it.
   */
  INTERNAL = 'internal',

  /**
   * Everybody.
   */
  INTERNET_FACING = 'internet-facing',
}

/**
 * What a load balancer sends requests to.
 */
export enum AlbIngressTargetType {
  /**
   * The pods.
   */
  IP = 'ip',

  /**
   * A port of each node.
   */
  INSTANCE = 'instance',
}

/**
 * One port that a load balancer listens at.
 */
export interface AlbListenPort {
  /**
   * `HTTP` or `HTTPS`.
   */
  readonly protocol: string;

  /**
   * The number of the port.
   */
  readonly port: number;
}

/**
 * The load balancer in front of the web UI. The cluster needs the AWS Load Balancer Controller.
 *
 * @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
 */
export interface AlbIngressOptions {
  /**
   * The host name of the web UI. Its DNS record is yours to make.
   *
   * @default - every host name that resolves to the load balancer
   */
  readonly host?: string;

  /**
   * The certificate for the host.
   *
   * @default - plain HTTP, with a warning
   */
  readonly certificate?: acm.ICertificate;

  /**
   * Who can reach the load balancer.
   *
   * @default AlbIngressScheme.INTERNAL
   */
  readonly scheme?: AlbIngressScheme;

  /**
   * What requests are sent to.
   *
   * @default AlbIngressTargetType.IP
   */
  readonly targetType?: AlbIngressTargetType;

  /**
   * The group of Ingresses that share one load balancer.
   *
   * @default - the namespace
   */
  readonly groupName?: string;

  /**
   * The place of our rules among the ones of the group, from -1000 to 1000.
   *
   * @default - 0, in the order of the names
   */
  readonly groupOrder?: number;

  /**
   * The ports that the load balancer listens at.
   *
   * @default - HTTPS 443 with a certificate, else HTTP 80
   */
  readonly listenPorts?: AlbListenPort[];

  /**
   * The path that says whether a web server is well.
   *
   * @default - the one of the Airflow version
   */
  readonly healthCheckPath?: string;

  /**
   * The addresses that may connect, as CIDR blocks.
   *
   * @default - all that the scheme lets in
   */
  readonly inboundCidrs?: string[];

  /**
   * The policy of TLS versions and ciphers.
   *
   * @default 'ELBSecurityPolicy-TLS13-1-2-2021-06'
   * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
   */
  readonly sslPolicy?: string;

  /**
   * The ARN of an AWS WAF web ACL that looks at each request.
   *
   * @default - no WAF
   */
  readonly webAclArn?: string;

  /**
   * The host name of flower, which then is behind the load balancer too.
   *
   * @default - flower is reached by `kubectl port-forward` only
   */
  readonly flowerHost?: string;

  /**
   * Further annotations, and other values for ours.
   *
   * @default - no further annotations
   */
  readonly annotations?: { [key: string]: string };

  /**
   * Labels of the Ingress.
   *
   * @default - no labels
   */
  readonly labels?: { [key: string]: string };
}

/**
 * A service in the cluster that the load balancer sends requests to.
 */
export interface AlbIngressService {
  /**
   * The name of the Kubernetes Service.
   */
  readonly name: string;

  /**
   * The port of the Service.
   */
  readonly port: number;

  /**
   * The path that says whether it is well.
   */
  readonly healthCheckPath: string;
}

/**
 * Properties of `AlbIngress`.
 */
export interface AlbIngressProps extends AlbIngressOptions {
  /**
   * The cluster.
   */
  readonly cluster: eks.ICluster | eksv2.ICluster;

  /**
   * The namespace of the services.
   *
   * The Ingress takes its name.
   */
  readonly namespace: string;

  /**
   * The web UI.
   */
  readonly web: AlbIngressService;

  /**
   * Flower, if it runs.
   *
   * @default - flower does not run
   */
  readonly flower?: AlbIngressService;
}

/**
 * The Ingress from which the AWS Load Balancer Controller makes a load balancer.
 */
export class AlbIngress extends Construct {
  /**
   * The URL of the web UI: undefined if no host is given, see `loadBalancerDnsName`.
   *
   * @internal
   */
  public static _url(options?: AlbIngressOptions): string | undefined {
    return options?.host && `${options.certificate ? 'https' : 'http'}://${options.host}`;
  }

  private dnsName?: Construct & { readonly value: string };

  constructor(scope: Construct, id: string, private readonly props: AlbIngressProps) {
    super(scope, id);
    this.check();
    const { namespace, web, flower } = props;
    applyManifest(this, 'Manifest', props.cluster, [
      this.ingress(namespace, props.host, web, {}),
      // Flower asks for its password on every path, and is well when it does.
      ...flower && props.flowerHost ? [this.ingress(`${namespace}-flower`, props.flowerHost, flower, { 'success-codes': '200,401' })] : [],
    ]);
  }

  /**
   * The DNS name of the load balancer, for a record that points to it.
   *
   * The deployment then waits, up to ten minutes, until the load balancer is there.
   */
  public get loadBalancerDnsName(): string {
    if (!this.dnsName) {
      this.dnsName = readObject(this, 'DnsName', this.props.cluster, {
        objectType: 'ingress',
        objectName: this.props.namespace,
        objectNamespace: this.props.namespace,
        jsonPath: '.status.loadBalancer.ingress[0].hostname',
        timeout: Duration.minutes(10),
      });
      this.dnsName.node.addDependency(this.node.findChild('Manifest'));
    }
    return this.dnsName.value;
  }

  private check(): void {
    const { host, certificate, groupOrder, flowerHost, flower, targetType, listenPorts } = this.props;
    if (certificate && !host) {
      fail(this, '\'ingress.certificate\' needs \'ingress.host\', the name that it is for, got no host');
    }
    for (const [prop, value] of Object.entries({ host, flowerHost })) {
      if (value !== undefined) {
        checkFormat(this, `ingress.${prop}`, value, /^(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$/, 'a host name in lower case, without scheme and path');
      }
    }
    if (flowerHost && !flower) {
      fail(this, `'ingress.flowerHost' needs an executor with Celery workers, which flower watches, got '${flowerHost}'`);
    }
    if (flowerHost && targetType === AlbIngressTargetType.INSTANCE) {
      fail(this, `'ingress.flowerHost' needs 'ingress.targetType' IP, because flower has no port on the nodes, got '${flowerHost}' with INSTANCE`);
    }
    if (flowerHost && !host) {
      fail(this, "'ingress.flowerHost' needs 'ingress.host', else the web UI answers for every name, got no host");
    }
    if (groupOrder !== undefined && !Token.isUnresolved(groupOrder) && !(Number.isInteger(groupOrder) && Math.abs(groupOrder) <= 1000)) {
      fail(this, `'ingress.groupOrder' must be a whole number from -1000 to 1000, got ${groupOrder}`);
    }
    if (!certificate && listenPorts?.some(({ protocol }) => protocol === 'HTTPS')) {
      fail(this, "'ingress.listenPorts' with HTTPS needs 'ingress.certificate', got none");
    }
    for (const cidr of this.props.inboundCidrs ?? []) {
      checkFormat(this, 'ingress.inboundCidrs', cidr, /^[0-9a-fA-F.:]+\/\d{1,3}$/, 'a list of CIDR blocks');
    }
    if (!certificate) {
      Annotations.of(this).addWarningV2('airflow-on-eks:ingressWithoutTls',
        "Passwords travel in plain text between browser and load balancer; give 'ingress.certificate' and 'ingress.host'");
    }
    if (this.props.scheme === AlbIngressScheme.INTERNET_FACING && !this.props.inboundCidrs) {
      Annotations.of(this).addWarningV2('airflow-on-eks:ingressOpenToInternet',
        "The web UI of Airflow can be reached by everybody; limit it by 'ingress.inboundCidrs'");
    }
  }

  private ingress(name: string, host: string | undefined, service: AlbIngressService, annotations: Record<string, string>): KubernetesObject {
    const { props } = this;
    const ports = props.listenPorts ?? [props.certificate ? { protocol: 'HTTPS', port: 443 } : { protocol: 'HTTP', port: 80 }];
    const alb: Record<string, string | undefined> = {
      'scheme': props.scheme ?? AlbIngressScheme.INTERNAL,
      'target-type': props.targetType ?? AlbIngressTargetType.IP,
      'backend-protocol': 'HTTP',
      'healthcheck-path': (service === props.web ? props.healthCheckPath : undefined) ?? service.healthCheckPath,
      'listen-ports': JSON.stringify(ports.map(({ protocol, port }) => ({ [protocol]: port }))),
      'group.name': props.groupName ?? props.namespace,
      'group.order': props.groupOrder?.toString(),
      'certificate-arn': props.certificate?.certificateArn,
      'ssl-policy': props.certificate && (props.sslPolicy ?? 'ELBSecurityPolicy-TLS13-1-2-2021-06'),
      'inbound-cidrs': props.inboundCidrs?.join(','),
      'wafv2-acl-arn': props.webAclArn,
      ...annotations,
    };
    return {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: {
        name,
        namespace: props.namespace,
        labels: props.labels,
        annotations: {
          ...Object.fromEntries(Object.entries(alb).filter(([, value]) => value !== undefined).map(([key, value]) => [`alb.ingress.kubernetes.io/${key}`, value])),
          ...props.annotations,
        },
      },
      spec: {
        ingressClassName: 'alb',
        rules: [{
          host,
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: service.name, port: { number: service.port } } } }] },
        }],
      },
    };
  }
}
