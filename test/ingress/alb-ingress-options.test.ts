import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { AlbIngressOptions } from '../../src';
import { ingressUrl, needsNodePort } from '../../src/ingress/alb-ingress-options';
import { newStack, synthAirflow, synthCommunity, valuesOf } from '../util';

const certificate = acm.Certificate.fromCertificateArn(newStack(), 'Certificate', 'arn:aws:acm:eu-central-1:123456789012:certificate/1');

test.each<[AlbIngressOptions | undefined, string | undefined]>([
  [undefined, undefined], [{}, undefined], [{ host: 'a.example.com' }, 'http://a.example.com'], [{ host: 'a.example.com', certificate }, 'https://a.example.com'],
])('the URL', (options, url) => {
  expect(ingressUrl(options)).toBe(url);
});

test('a port on each node is needed only if the nodes are the targets', () => {
  const { IP, INSTANCE } = elbv2.TargetType;
  expect([undefined, {}, { targetType: IP }, { targetType: INSTANCE }].map(needsNodePort)).toEqual([false, false, false, true]);
});

test.each<[string, AlbIngressOptions, string | RegExp]>([
  ['a host name', { host: 'airflow.example.com' }, 'http://airflow.example.com'],
  ['no host name: the DNS name of the load balancer', {}, /^http:\/\/\$\{Token/],
])('the URL of a deployment with %s', (_name, ingress, url) => {
  expect(synthAirflow({ ingress }).airflow.url).toMatch(url);
});

test('Airflow gets its URL and the type of its Service', () => {
  const { template, airflow } = synthCommunity((stack) => ({
    ingress: {
      host: 'airflow.example.com',
      certificate: acm.Certificate.fromCertificateArn(stack, 'Certificate', certificate.certificateArn),
      targetType: elbv2.TargetType.INSTANCE,
    },
  }));
  expect(airflow.url).toBe('https://airflow.example.com');
  expect(valuesOf(template).airflow.config).toMatchObject({
    AIRFLOW__WEBSERVER__BASE_URL: 'https://airflow.example.com', AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True',
  });
  expect(valuesOf(template).web.service.type).toBe('NodePort');
  expect(valuesOf(synthCommunity().template).web.service.type).toBe('ClusterIP');
});

test('fails when the nodes are the targets and helmValues close the port on the nodes', () => {
  const helmValues = { web: { service: { type: 'ClusterIP' } } };
  expect(() => synthCommunity({ ingress: { targetType: elbv2.TargetType.INSTANCE }, helmValues })).toThrow(new Error(
    "Data/Airflow: 'helmValues.web.service.type' must not be set, because 'ingress.targetType' sets it; use 'ingress.targetType'"));
  expect(valuesOf(synthCommunity({ helmValues: { web: { service: { type: 'LoadBalancer' } } } }).template).web.service.type).toBe('LoadBalancer');
});
