import { Annotations, Token } from 'aws-cdk-lib';
import eks = require('aws-cdk-lib/aws-eks');
import elbv2 = require('aws-cdk-lib/aws-elasticloadbalancingv2');
import { Construct } from 'constructs';
import { AlbIngressOptions } from './alb-ingress-options';
import { checkNoSecret } from '../config/plain-text';
import { checkFormat, fail } from '../validation';

const HOST_NAME = /^(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]([-a-z0-9]*[a-z0-9])?$/;

type IngressOptions = AlbIngressOptions & { readonly flower?: unknown };

/** Checks the options of an Ingress, and warns about those that expose more than most users intend. */
export function checkIngress(scope: Construct, props: IngressOptions): void {
  checkHosts(scope, props);
  checkPorts(scope, props);
  const { groupOrder, inboundCidrs = [], targetType } = props;
  if (targetType !== undefined && targetType !== elbv2.TargetType.IP && targetType !== elbv2.TargetType.INSTANCE) {
    fail(scope, `'ingress.targetType' must be IP or INSTANCE, got '${targetType}'`);
  }
  if (groupOrder !== undefined && !Token.isUnresolved(groupOrder) && !(Number.isInteger(groupOrder) && Math.abs(groupOrder) <= 1000)) {
    fail(scope, `'ingress.groupOrder' must be a whole number from -1000 to 1000, got ${groupOrder}`);
  }
  inboundCidrs.forEach((cidr) => checkFormat(scope, 'ingress.inboundCidrs', cidr, /^[0-9a-fA-F.:]+\/\d{1,3}$/, 'a list of CIDR blocks'));
  checkNoSecret(scope, 'ingress', { annotations: props.annotations, labels: props.labels });
  warn(scope, props);
}

function checkHosts(scope: Construct, { host, certificate, flowerHost, flower, targetType }: IngressOptions): void {
  if (certificate && !host) {
    fail(scope, "'ingress.certificate' needs 'ingress.host', the host name of the certificate, got no host");
  }
  for (const [prop, value] of Object.entries({ host, flowerHost })) {
    checkFormat(scope, `ingress.${prop}`, value ?? 'example.com', HOST_NAME, 'a host name in lower case, without a scheme and a path');
  }
  if (flowerHost && !flower) {
    fail(scope, `'ingress.flowerHost' needs an executor with Celery workers, which Flower monitors, got '${flowerHost}'`);
  }
  if (flowerHost && targetType === elbv2.TargetType.INSTANCE) {
    fail(scope, `'ingress.flowerHost' needs 'ingress.targetType' IP, because Flower has no port on the nodes, got '${flowerHost}' with INSTANCE`);
  }
  if (flowerHost && !host) {
    fail(scope, "'ingress.flowerHost' needs 'ingress.host', otherwise the web UI answers for every host name, got no host");
  }
}

function checkPorts(scope: Construct, { listenerPorts = [], certificate }: AlbIngressOptions): void {
  for (const { protocol } of listenerPorts) {
    if (protocol !== elbv2.ApplicationProtocol.HTTP && protocol !== elbv2.ApplicationProtocol.HTTPS) {
      fail(scope, `'ingress.listenerPorts' must have the protocol HTTP or HTTPS, got '${protocol}'`);
    }
  }
  if (!certificate && listenerPorts.some(({ protocol }) => protocol === elbv2.ApplicationProtocol.HTTPS)) {
    fail(scope, "'ingress.listenerPorts' with HTTPS needs 'ingress.certificate', got no certificate");
  }
}

function warn(scope: Construct, { certificate, scheme, inboundCidrs }: AlbIngressOptions): void {
  if (!certificate) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:ingressWithoutTls',
      "Passwords are sent in plain text between browser and load balancer; set 'ingress.certificate' and 'ingress.host'");
  }
  if (scheme === eks.AlbScheme.INTERNET_FACING && !inboundCidrs) {
    Annotations.of(scope).addWarningV2('airflow-on-eks:ingressOpenToInternet',
      "The web UI of Airflow can be reached from the whole internet; restrict access with 'ingress.inboundCidrs'");
  }
}
