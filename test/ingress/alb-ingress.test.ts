import { Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as eks from 'aws-cdk-lib/aws-eks';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Construct } from 'constructs';
import { AirflowChart, AlbIngressClass, AlbIngressOptions } from '../../src';
import { AlbIngress } from '../../src/ingress/alb-ingress';
import { importedCluster, manifestOf, newStack, objectsOf, synthAirflow } from '../util';

const ARN = 'arn:aws:acm:eu-central-1:123456789012:certificate/1';
const certificate = (scope: Construct) => acm.Certificate.fromCertificateArn(scope, 'Certificate', ARN);
const web = { name: 'airflow-web', port: 8080, healthCheckPath: '/health' };
const flower = { name: 'airflow-flower', port: 5555, healthCheckPath: '/' };

function make(options: (scope: Construct) => AlbIngressOptions = () => ({}), services: object = {}) {
  const stack = newStack();
  const ingress = new AlbIngress(stack, 'Ingress', { cluster: importedCluster(stack), namespace: 'airflow', autoMode: false, web, ...services, ...options(stack) });
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
  const [{ name, namespace, labels, spec, alb }, ...others] = ingressesOf();
  expect(others).toEqual([]);
  expect({ name, namespace }).toEqual({ name: 'airflow', namespace: 'airflow' });
  expect(Object.keys(labels ?? {}).filter((label) => !label.startsWith('aws.cdk.eks/'))).toEqual([]);
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

test('defaults: a retry overwrites what exists', () => {
  expect(manifestOf(Template.fromStack(make().stack), 'IngressManifest')).toEqual({ objects: ['Ingress/airflow'], overwrite: true });
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
    scheme: eks.AlbScheme.INTERNET_FACING,
    targetType: elbv2.TargetType.INSTANCE,
    groupName: 'dev',
    groupOrder: 9,
    listenerPorts: [{ protocol: elbv2.ApplicationProtocol.HTTP, port: 8000 }, { protocol: elbv2.ApplicationProtocol.HTTPS, port: 8443 }],
    healthCheckPath: '/healthy',
    inboundCidrs: ['10.0.0.0/8', '2001:db8::/32'],
    sslPolicy: elbv2.SslPolicy.TLS13_13,
    webAclArn: 'arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/a/1',
    annotations: { 'alb.ingress.kubernetes.io/success-codes': '200' },
    labels: { team: 'data' },
  }));
  expect(labels).toMatchObject({ team: 'data' });
  expect(alb).toEqual({
    'scheme': 'internet-facing',
    'target-type': 'instance',
    'backend-protocol': 'HTTP',
    'healthcheck-path': '/healthy',
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

test('custom: annotations take precedence', () => {
  const [{ alb }] = ingressesOf(() => ({ annotations: { 'alb.ingress.kubernetes.io/scheme': 'internet-facing', 'example.com/a': 'b' } }));
  expect(alb).toMatchObject({ 'scheme': 'internet-facing', 'example.com/a': 'b' });
});

test('defaults: Flower is not behind the load balancer', () => {
  expect(ingressesOf(() => ({ host: 'airflow.example.com' }), { flower }).map(({ name }) => name)).toEqual(['airflow']);
});

test('custom: Flower with a host name of its own', () => {
  const ingresses = ingressesOf((scope) => ({
    host: 'airflow.example.com', flowerHost: 'flower.example.com', certificate: certificate(scope), healthCheckPath: '/healthy', labels: { team: 'data' },
  }), { flower });
  expect(ingresses.map(({ name, spec }) => [name, spec.rules[0].host])).toEqual([['airflow', 'airflow.example.com'], ['airflow-flower', 'flower.example.com']]);
  expect(ingresses[1].spec.rules[0].http.paths[0].backend).toEqual({ service: { name: 'airflow-flower', port: { number: 5555 } } });
  // A healthy Flower answers 401 without its password, and has another path than the web UI.
  expect(ingresses[1].alb).toMatchObject({ 'group.name': 'airflow', 'success-codes': '200,401', 'healthcheck-path': '/' });
  expect(ingresses[0].alb).not.toHaveProperty('success-codes');
  expect(ingresses[1].labels).toMatchObject({ team: 'data' });
});

test.each([
  ['Airflow 3', AirflowChart.official(), 'airflow-api-server', '/api/v2/monitor/health'],
  ['Airflow 2.11', AirflowChart.official({ airflowVersion: '2.11.2' }), 'airflow-webserver', '/health'],
  ['the community chart', AirflowChart.community(), 'airflow-web', '/health'],
])('the service and the health endpoint of %s', (_name, chart, service, path) => {
  const [{ metadata, spec }] = objectsOf(synthAirflow({ chart, ingress: {} }).template, 'Ingress');
  expect(spec.rules[0].http.paths[0].backend.service.name).toBe(service);
  expect(metadata.annotations['alb.ingress.kubernetes.io/healthcheck-path']).toBe(path);
});

test('the DNS name is read once, and only if it is used', () => {
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
  // Otherwise it would be read before the Ingress exists.
  const [{ DependsOn }] = Object.values(template.findResources('Custom::AWSCDK-EKS-KubernetesObjectValue'));
  expect(DependsOn).toEqual(expect.arrayContaining([expect.stringMatching(/^IngressManifest/)]));
});

test('custom: an existing IngressClass', () => {
  const [{ spec, alb }] = ingressesOf(() => ({ ingressClass: AlbIngressClass.existing('internal-alb') }));
  expect(spec.ingressClassName).toBe('internal-alb');
  expect(alb['group.name']).toBe('airflow');
});

test('custom: the class of EKS Auto Mode names the group, and is deleted after the load balancer', () => {
  const { stack } = make(() => ({ ingressClass: AlbIngressClass.autoMode(), groupName: 'shared' }));
  const template = Template.fromStack(stack);
  const [{ metadata, spec }] = objectsOf(template, 'Ingress');
  expect(spec.ingressClassName).toBe('airflow-alb');
  expect(metadata.annotations).not.toHaveProperty(['alb.ingress.kubernetes.io/group.name']);
  expect(objectsOf(template, 'IngressClass')[0]).toMatchObject({
    metadata: { name: 'airflow-alb' },
    spec: { controller: 'eks.amazonaws.com/alb', parameters: { apiGroup: 'eks.amazonaws.com', kind: 'IngressClassParams', name: 'airflow-alb' } },
  });
  expect(objectsOf(template, 'IngressClassParams')[0]).toMatchObject({
    apiVersion: 'eks.amazonaws.com/v1', metadata: { name: 'airflow-alb' }, spec: { group: { name: 'shared' } },
  });
  const manifests = template.findResources('Custom::AWSCDK-EKS-KubernetesResource');
  const idOf = (kind: string) => Object.keys(manifests).find((id) => JSON.stringify(manifests[id].Properties.Manifest).includes(`"${kind}\\"`))!;
  expect(manifests[idOf('Ingress')].DependsOn).toContain(idOf('IngressClassParams'));
});

test('fails when the IngressClass is no name', () => {
  expect(() => make(() => ({ ingressClass: AlbIngressClass.existing('ALB') })))
    .toThrow("Data/Ingress: 'ingress.ingressClass' must be the name of an IngressClass, got 'ALB'");
});
