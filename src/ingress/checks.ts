import { isIPv4, isIPv6 } from 'net';
import { Annotations, Stack, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
import { Construct } from 'constructs';
import { AlbIngressOptions } from './alb-ingress-options';
import { checkNoSecret } from '../config/plain-text';
import { checkCount, checkEnvironment, checkFormat, checkLabels, checkTexts, checkUnique, fail, shown } from '../validation';

const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** @see https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#group.name */
const GROUP_NAME = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

type IngressOptions = AlbIngressOptions & { readonly flower?: unknown };

/** Checks the options of an Ingress, and warns about those that expose more than most users intend. */
export function checkIngress(scope: Construct, props: IngressOptions): void {
  checkHosts(scope, props);
  checkPorts(scope, props);
  const { groupOrder, inboundCidrs, targetType } = props;
  if (targetType !== undefined && targetType !== elbv2.TargetType.IP && targetType !== elbv2.TargetType.INSTANCE) {
    fail(scope, `'ingress.targetType' must be IP or INSTANCE, got '${targetType}'`);
  }
  if (props.scheme !== undefined && !Object.values(eks.AlbScheme).includes(props.scheme)) {
    fail(scope, `'ingress.scheme' must be one of eks.AlbScheme, got ${shown(props.scheme)}`);
  }
  checkCount(scope, 'ingress.groupOrder', groupOrder, -1000, '', 1000);
  checkFormat(scope, 'ingress.groupName', props.groupName ?? 'airflow', GROUP_NAME, 'at most 63 lowercase letters, digits, - and .');
  checkFormat(scope, 'ingress.healthCheckPath', props.healthCheckPath ?? '/', /^\/\S*$/, 'a path that begins with /');
  checkCidrs(scope, inboundCidrs);
  checkArns(scope, props);
  checkTexts(scope, 'ingress.annotations', props.annotations ?? {});
  checkLabels(scope, 'ingress.labels', props.labels ?? {});
  checkNoSecret(scope, 'ingress', { annotations: props.annotations, labels: props.labels });
  warn(scope, props);
}

function checkHosts(scope: Construct, { host, certificate, flowerHost, flower, targetType }: IngressOptions): void {
  if (certificate) {
    if (certificate.certificateArn === undefined) {
      fail(scope, `'ingress.certificate' must be a certificate of AWS Certificate Manager, got ${shown(certificate)}; use acm.Certificate.fromCertificateArn()`);
    }
    checkEnvironment(scope, 'ingress.certificate', certificate);
  }
  if (certificate && !host) {
    fail(scope, "'ingress.certificate' needs 'ingress.host', the host name of the certificate, got no host");
  }
  for (const [prop, value] of Object.entries({ host, flowerHost })) {
    checkFormat(scope, `ingress.${prop}`, value ?? 'example.com', HOST_NAME, 'a host name in lower case, without a scheme, a path and *');
  }
  if (flowerHost && !flower) {
    fail(scope, `'ingress.flowerHost' needs an executor with Celery workers, which Flower monitors, got '${flowerHost}'`);
  }
  if (flowerHost && targetType === elbv2.TargetType.INSTANCE) {
    fail(scope, `'ingress.flowerHost' needs 'ingress.targetType' IP, because Flower has no port on the nodes, got '${flowerHost}' with INSTANCE`);
  }
  if (flowerHost && flowerHost === host) {
    fail(scope, `'ingress.flowerHost' must differ from 'ingress.host', got '${host}' for both`);
  }
  if (flowerHost && !host) {
    fail(scope, "'ingress.flowerHost' needs 'ingress.host', otherwise the web UI answers for every host name, got no host");
  }
}

function checkPorts(scope: Construct, { listenerPorts, certificate }: AlbIngressOptions): void {
  if (listenerPorts === undefined) {
    return;
  }
  if (listenerPorts.length === 0) {
    fail(scope, "'ingress.listenerPorts' must contain at least one port, got none; remove it for the default port");
  }
  checkUnique(scope, 'ingress.listenerPorts', listenerPorts.map(({ port }) => `${port}`));
  for (const { protocol, port } of listenerPorts) {
    checkCount(scope, 'ingress.listenerPorts', port, 1, '', 65535);
    if (protocol !== elbv2.ApplicationProtocol.HTTP && protocol !== elbv2.ApplicationProtocol.HTTPS) {
      fail(scope, `'ingress.listenerPorts' must have the protocol HTTP or HTTPS, got '${protocol}'`);
    }
  }
  if (!certificate && listenerPorts.some(({ protocol }) => protocol === elbv2.ApplicationProtocol.HTTPS)) {
    fail(scope, "'ingress.listenerPorts' with HTTPS needs 'ingress.certificate', got no certificate");
  }
}

function checkCidrs(scope: Construct, cidrs?: string[]): void {
  if (cidrs?.length === 0) {
    fail(scope, "'ingress.inboundCidrs' must contain at least one CIDR block, got none, which would admit all addresses; remove it to do so");
  }
  for (const cidr of cidrs?.filter((block) => !Token.isUnresolved(block)) ?? []) {
    const [address, length, ...rest] = `${cidr}`.split('/');
    const maximum = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
    if (rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > maximum) {
      fail(scope, `'ingress.inboundCidrs' must be a list of CIDR blocks such as '192.0.2.0/24', got '${cidr}'`);
    }
  }
}

function checkArns(scope: Construct, { certificate, webAclArn }: AlbIngressOptions): void {
  checkArn(scope, 'ingress.certificate', certificate?.certificateArn, /^(acm:certificate\/|iam:server-certificate\/)/, 'a certificate of AWS Certificate Manager');
  checkArn(scope, 'ingress.webAclArn', webAclArn, /^wafv2:regional\/webacl\//, 'the ARN of a regional web ACL of AWS WAF');
}

/** Fails unless an ARN is of a kind, as `service:resource`, and in the Region of the deployment. A token passes. */
function checkArn(scope: Construct, prop: string, arn: string | undefined, kind: RegExp, description: string): void {
  if (arn === undefined || Token.isUnresolved(arn)) {
    return;
  }
  const [prefix, , service, region, , ...resource] = arn.split(':');
  if (prefix !== 'arn' || !kind.test(`${service}:${resource.join(':')}`)) {
    fail(scope, `'${prop}' must be ${description}, got '${arn}'`);
  }
  const deployed = Stack.of(scope).region;
  if (region && !Token.isUnresolved(deployed) && region !== deployed) {
    fail(scope, `'${prop}' must be in the Region of the deployment (${deployed}), as its load balancer is, got '${arn}'`);
  }
}

function warn(scope: Construct, { certificate, scheme, inboundCidrs, listenerPorts = [], annotations = {} }: AlbIngressOptions): void {
  const protocols = new Set(listenerPorts.map(({ protocol }) => protocol));
  if (protocols.size > 1 && !annotations['alb.ingress.kubernetes.io/ssl-redirect']) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:ingressHttpBesideHttps',
      "The web UI also answers without TLS on the HTTP port; redirect it with 'ingress.annotations': { 'alb.ingress.kubernetes.io/ssl-redirect': '443' }");
  }
  if (!certificate) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:ingressWithoutTls',
      "Passwords are sent in plain text between browser and load balancer; set 'ingress.certificate' and 'ingress.host'");
  }
  if (scheme === eks.AlbScheme.INTERNET_FACING && !inboundCidrs) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:ingressOpenToInternet',
      "The web UI of Airflow can be reached from the whole internet; restrict access with 'ingress.inboundCidrs'");
  }
}
