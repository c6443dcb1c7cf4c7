import { Stack, Token } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { AirflowExecutor, AlbIngressOptions } from '../../src';
import { checkIngress } from '../../src/ingress/checks';
import { newStack, synthAirflow } from '../util';

const certificate = (scope: Construct) => acm.Certificate.fromCertificateArn(scope, 'Certificate', 'arn:aws:acm:eu-central-1:123456789012:certificate/1');
const { HTTP, HTTPS } = elbv2.ApplicationProtocol;

function check(options: (scope: Construct) => AlbIngressOptions, flower?: object): Construct {
  const ingress = new Construct(newStack(), 'Ingress');
  checkIngress(ingress, { ...options(ingress), flower });
  return ingress;
}

function warningsOf(options: (scope: Construct) => AlbIngressOptions): string[] {
  return Annotations.fromStack(Stack.of(check(options))).findWarning('/Data/Ingress', Match.anyValue()).map(({ entry }) => String(entry.data));
}

const OPEN = 'The web UI of Airflow can be reached from the whole internet;'
  + " restrict access with 'ingress.inboundCidrs' [ack: airflow-on-eks:ingressOpenToInternet]";
const PLAIN = 'Passwords are sent in plain text between browser and load balancer;'
  + " set 'ingress.certificate' and 'ingress.host' [ack: airflow-on-eks:ingressWithoutTls]";
const tls = (scope: Construct) => ({ host: 'a.example.com', certificate: certificate(scope) });

test.each<[string, (scope: Construct) => AlbIngressOptions, string[]]>([
  ['there is no certificate', () => ({}), [PLAIN]],
  ['the internet may connect', (scope) => ({ ...tls(scope), scheme: eks.AlbScheme.INTERNET_FACING }), [OPEN]],
  ['the internet may connect in plain text', () => ({ scheme: eks.AlbScheme.INTERNET_FACING }), [PLAIN, OPEN]],
])('warns when %s', (_name, options, warnings) => {
  expect(warningsOf(options)).toEqual(warnings);
});

test.each<[string, (scope: Construct) => AlbIngressOptions]>([
  ['internal and encrypted', tls],
  ['on the internet for some addresses', (scope) => ({ ...tls(scope), scheme: eks.AlbScheme.INTERNET_FACING, inboundCidrs: ['192.0.2.0/24'] })],
])('does not warn when it is %s', (_name, options) => {
  expect(warningsOf(options)).toEqual([]);
});

test.each<[string, AlbIngressOptions]>([
  ['the first order', { groupOrder: -1000 }],
  ['the last order', { groupOrder: 1000 }],
  ['an IPv6 block', { inboundCidrs: ['2001:db8::/32'] }],
  ['tokens', { host: Token.asString({ Ref: 'Host' }), groupOrder: Token.asNumber({ Ref: 'Order' }), inboundCidrs: [Token.asString({ Ref: 'Cidr' })] }],
  ['HTTP on two ports', { listenerPorts: [{ protocol: HTTP, port: 80 }, { protocol: HTTP, port: 8080 }] }],
])('accepts %s', (_name, options) => {
  expect(() => check(() => options)).not.toThrow();
});

const HOST = 'must be a host name in lower case, without a scheme, a path and *, got';

test.each<[string, (scope: Construct) => AlbIngressOptions, string]>([
  ['a certificate has no host', (scope) => ({ certificate: certificate(scope) }), "'ingress.certificate' needs 'ingress.host', the host name of the certificate, got no host"],
  ['the host is a URL', () => ({ host: 'https://airflow.example.com' }), `'ingress.host' ${HOST} 'https://airflow.example.com'`],
  ['the host is in upper case', () => ({ host: 'Airflow.example.com' }), `'ingress.host' ${HOST} 'Airflow.example.com'`],
  ['the host of Flower has a path', () => ({ flowerHost: 'f.example.com/flower' }), `'ingress.flowerHost' ${HOST} 'f.example.com/flower'`],
  ['Flower does not run', () => ({ host: 'a.example.com', flowerHost: 'f.example.com' }),
    "'ingress.flowerHost' needs an executor with Celery workers, which Flower monitors, got 'f.example.com'"],
  ['groupOrder is too high', () => ({ groupOrder: 1001 }), "'ingress.groupOrder' must be a whole number from -1000 to 1000, got 1001"],
  ['groupOrder is not a whole number', () => ({ groupOrder: 0.5 }), "'ingress.groupOrder' must be a whole number from -1000 to 1000, got 0.5"],
  ['HTTPS has no certificate', () => ({ listenerPorts: [{ protocol: HTTPS, port: 443 }] }),
    "'ingress.listenerPorts' with HTTPS needs 'ingress.certificate', got no certificate"],
  ['a listener has another protocol', () => ({ listenerPorts: [{ protocol: elbv2.Protocol.TCP as any, port: 443 }] }), "'ingress.listenerPorts' must have the protocol HTTP or HTTPS, got 'TCP'"],
  ['the targets are of another type', () => ({ targetType: elbv2.TargetType.LAMBDA }), "'ingress.targetType' must be IP or INSTANCE, got 'lambda'"],
])('fails when %s', (_name, options, message) => {
  expect(() => check(options)).toThrow(new Error(`Data/Ingress: ${message}`));
});

test.each<[string, AlbIngressOptions, string]>([
  ['there is no host for the web UI', { flowerHost: 'f.example.com' },
    "'ingress.flowerHost' needs 'ingress.host', otherwise the web UI answers for every host name, got no host"],
  ['the targets are the nodes', { host: 'a.example.com', flowerHost: 'f.example.com', targetType: elbv2.TargetType.INSTANCE },
    "'ingress.flowerHost' needs 'ingress.targetType' IP, because Flower has no port on the nodes, got 'f.example.com' with INSTANCE"],
])('fails when Flower has a host and %s', (_name, options, message) => {
  expect(() => check(() => options, {})).toThrow(new Error(`Data/Ingress: ${message}`));
});

test('fails with the path of the Ingress when Flower has a host and there are no Celery workers', () => {
  expect(() => synthAirflow({ executor: AirflowExecutor.KUBERNETES, ingress: { host: 'a.example.com', flowerHost: 'f.example.com' } })).toThrow(new Error(
    "Data/Airflow/Ingress: 'ingress.flowerHost' needs an executor with Celery workers, which Flower monitors, got 'f.example.com'"));
});
