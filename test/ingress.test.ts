import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import { importedCluster, newStack, objectsOf, synthAirflow, valuesOf } from './util';
import { AirflowExecutor, AlbIngress, AlbIngressOptions, AlbIngressScheme, AlbIngressTargetType } from '../src';

const ARN = 'arn:aws:acm:eu-central-1:123456789012:certificate/1';
const certificate = (scope: Construct) => acm.Certificate.fromCertificateArn(scope, 'Certificate', ARN);
const web = { name: 'airflow-web', port: 8080, healthCheckPath: '/health' };
const flower = { name: 'airflow-flower', port: 5555, healthCheckPath: '/' };

function make(options: (scope: Construct) => AlbIngressOptions = () => ({}), services: object = {}) {
  const stack = newStack();
  const ingress = new AlbIngress(stack, 'Ingress', { cluster: importedCluster(stack), namespace: 'airflow', web, ...services, ...options(stack) });
  return { stack, ingress };
}

/** Each Ingress, with the annotations of the load balancer controller by their short names. */
function ingressesOf(options?: (scope: Construct) => AlbIngressOptions, services?: object) {
  return objectsOf(Template.fromStack(make(options, services).stack), 'Ingress').map(({ metadata, spec }) => ({
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    spec,
    alb: Object.fromEntries(Object.entries(metadata.annotations).map(([key, value]) => [key.replace('alb.ingress.kubernetes.io/', ''), value])),
  }));
}

test('defaults', () => {
  const [{ name, namespace, spec, alb }, ...others] = ingressesOf();
  expect(others).toEqual([]);
  expect({ name, namespace }).toEqual({ name: 'airflow', namespace: 'airflow' });
  expect(alb).toEqual({
    'scheme': 'internal',
    'target-type': 'ip',
    'backend-protocol': 'HTTP',
    'healthcheck-path': '/health',
    'listen-ports': '[{"HTTP":80}]',
    'group.name': 'airflow',
  });
  expect(spec).toEqual({
    ingressClassName: 'alb',
    rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'airflow-web', port: { number: 8080 } } } }] } }],
  });
});

test('defaults with a host and a certificate', () => {
  const [{ alb, spec }] = ingressesOf((scope) => ({ host: 'airflow.example.com', certificate: certificate(scope) }));
  expect(spec.rules[0].host).toBe('airflow.example.com');
  expect(alb).toMatchObject({ 'listen-ports': '[{"HTTPS":443}]', 'certificate-arn': ARN, 'ssl-policy': 'ELBSecurityPolicy-TLS13-1-2-2021-06' });
});

test('custom', () => {
  const [{ alb, labels }] = ingressesOf((scope) => ({
    host: 'airflow.example.com',
    certificate: certificate(scope),
    scheme: AlbIngressScheme.INTERNET_FACING,
    targetType: AlbIngressTargetType.INSTANCE,
    groupName: 'dev',
    groupOrder: 9,
    listenPorts: [{ protocol: 'HTTP', port: 8000 }, { protocol: 'HTTPS', port: 8443 }],
    healthCheckPath: '/well',
    inboundCidrs: ['10.0.0.0/8', '2001:db8::/32'],
    sslPolicy: 'ELBSecurityPolicy-TLS13-1-3-2021-06',
    webAclArn: 'arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1',
    annotations: { 'alb.ingress.kubernetes.io/success-codes': '200' },
    labels: { team: 'data' },
  }));
  expect(labels).toMatchObject({ team: 'data' });
  expect(alb).toEqual({
    'scheme': 'internet-facing',
    'target-type': 'instance',
    'backend-protocol': 'HTTP',
    'healthcheck-path': '/well',
    'listen-ports': '[{"HTTP":8000},{"HTTPS":8443}]',
    'group.name': 'dev',
    'group.order': '9',
    'certificate-arn': ARN,
    'ssl-policy': 'ELBSecurityPolicy-TLS13-1-3-2021-06',
    'inbound-cidrs': '10.0.0.0/8,2001:db8::/32',
    'wafv2-acl-arn': 'arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1',
    'success-codes': '200',
  });
});

test('flower is behind it if asked', () => {
  const ingresses = ingressesOf((scope) => ({
    host: 'airflow.example.com', flowerHost: 'flower.example.com', certificate: certificate(scope), healthCheckPath: '/well',
  }), { flower });
  expect(ingresses.map(({ name, spec }) => [name, spec.rules[0].host])).toEqual([['airflow', 'airflow.example.com'], ['airflow-flower', 'flower.example.com']]);
  // It answers 401 where it is well, and has another path than the web UI.
  expect(ingresses[1].alb).toMatchObject({ 'group.name': 'airflow', 'success-codes': '200,401', 'healthcheck-path': '/' });
});

test('the DNS name is read once, and only if asked for', () => {
  const { stack, ingress } = make();
  expect(Object.keys(Template.fromStack(stack).findResources('Custom::AWSCDK-EKS-KubernetesObjectValue'))).toHaveLength(0);
  const again = make();
  expect(again.ingress.loadBalancerDnsName).toBe(again.ingress.loadBalancerDnsName);
  expect(ingress.node.tryFindChild('DnsName')).toBeUndefined();
  const template = Template.fromStack(again.stack);
  template.resourceCountIs('Custom::AWSCDK-EKS-KubernetesObjectValue', 1);
  template.hasResourceProperties('Custom::AWSCDK-EKS-KubernetesObjectValue', {
    ObjectType: 'ingress', ObjectName: 'airflow', ObjectNamespace: 'airflow', JsonPath: '.status.loadBalancer.ingress[0].hostname', TimeoutSeconds: 600,
  });
});

test.each<[string, AlbIngressOptions | undefined, string | RegExp]>([
  ['a host', { host: 'airflow.example.com' }, 'http://airflow.example.com'],
  ['none', {}, /^http:\/\/\$\{Token/],
])('the URL with %s', (_name, ingress, url) => {
  expect(synthAirflow({ ingress }).airflow.url).toMatch(url);
});

test('Airflow learns its URL, and the type of its Service', () => {
  const { template, airflow } = synthAirflow((stack) => ({
    ingress: { host: 'airflow.example.com', certificate: certificate(stack), targetType: AlbIngressTargetType.INSTANCE },
  }));
  expect(airflow.url).toBe('https://airflow.example.com');
  expect(valuesOf(template).airflow.config).toMatchObject({
    AIRFLOW__WEBSERVER__BASE_URL: 'https://airflow.example.com', AIRFLOW__WEBSERVER__ENABLE_PROXY_FIX: 'True',
  });
  expect(valuesOf(template).web.service.type).toBe('NodePort');
  expect(valuesOf(synthAirflow().template).web.service.type).toBe('ClusterIP');
});

test.each<[string, (scope: Construct) => AlbIngressOptions, string]>([
  ['there is no certificate', () => ({}), "Passwords travel in plain text between browser and load balancer; give 'ingress.certificate' and 'ingress.host'"],
  ['the Internet may connect', (scope) => ({ host: 'a.example.com', certificate: certificate(scope), scheme: AlbIngressScheme.INTERNET_FACING }),
    "The web UI of Airflow can be reached by everybody; limit it by 'ingress.inboundCidrs'"],
])('warns when %s', (_name, options, message) => {
  const warnings = Annotations.fromStack(make(options).stack).findWarning('/Data/Ingress', Match.anyValue()).map(({ entry }) => String(entry.data));
  expect(warnings).toEqual([expect.stringContaining(message)]);
});

test('warns of nothing when it is internal and encrypted', () => {
  const { stack } = make((scope) => ({ host: 'a.example.com', certificate: certificate(scope) }));
  expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
});

test.each<[string, (scope: Construct) => AlbIngressOptions, string]>([
  ['a certificate has no host', (scope) => ({ certificate: certificate(scope) }), "'ingress.certificate' needs 'ingress.host', the name that it is for, got no host"],
  ['the host is a URL', () => ({ host: 'https://airflow.example.com' }),
    "'ingress.host' must be a host name in lower case, without scheme and path, got 'https://airflow.example.com'"],
  ['flower does not run', () => ({ host: 'a.example.com', flowerHost: 'f.example.com' }),
    "'ingress.flowerHost' needs an executor with Celery workers, which flower watches, got 'f.example.com'"],
  ['groupOrder is out of range', () => ({ groupOrder: 1001 }), "'ingress.groupOrder' must be a whole number from -1000 to 1000, got 1001"],
  ['HTTPS has no certificate', () => ({ listenPorts: [{ protocol: 'HTTPS', port: 443 }] }), "'ingress.listenPorts' with HTTPS needs 'ingress.certificate', got none"],
  ['a CIDR block is none', () => ({ inboundCidrs: ['10.0.0.1'] }), "'ingress.inboundCidrs' must be a list of CIDR blocks, got '10.0.0.1'"],
])('fails when %s', (_name, options, message) => {
  expect(() => make(options)).toThrow(new Error(`Data/Ingress: ${message}`));
});

test.each<[string, AlbIngressOptions, string]>([
  ['would take all names from the web UI', { flowerHost: 'f.example.com' }, "'ingress.flowerHost' needs 'ingress.host', else the web UI answers for every name, got no host"],
  ['has no port on the nodes', { host: 'a.example.com', flowerHost: 'f.example.com', targetType: AlbIngressTargetType.INSTANCE },
    "'ingress.flowerHost' needs 'ingress.targetType' IP, because flower has no port on the nodes, got 'f.example.com' with INSTANCE"],
])('fails when flower %s', (_name, options, message) => {
  expect(() => make(() => options, { flower })).toThrow(new Error(`Data/Ingress: ${message}`));
});

test('fails when flower is asked for without Celery', () => {
  expect(() => synthAirflow({ executor: AirflowExecutor.KUBERNETES, ingress: { host: 'a.example.com', flowerHost: 'f.example.com' } })).toThrow(new Error(
    "Data/Airflow/Ingress: 'ingress.flowerHost' needs an executor with Celery workers, which flower watches, got 'f.example.com'"));
});

test('fails when the targets are the nodes, and the Service has no port there', () => {
  const values = { web: { service: { type: 'ClusterIP' } } };
  expect(() => synthAirflow({ ingress: { targetType: AlbIngressTargetType.INSTANCE }, values })).toThrow(new Error(
    "Data/Airflow: 'values.web.service.type' is what 'ingress.targetType' is for; take it out of 'values' and use 'ingress.targetType'"));
  expect(valuesOf(synthAirflow({ values: { web: { service: { type: 'LoadBalancer' } } } }).template).web.service.type).toBe('LoadBalancer');
});
