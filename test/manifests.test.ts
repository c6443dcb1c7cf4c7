import Ajv from 'ajv';
import { casesOf } from './matrix';
import { CHARTS_UNDER_TEST, Json, objectsOf, synthAirflow, valuesOf } from './util';

const NAME = { type: 'string', maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' };
const KEY = { type: 'string', maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$' };

/** A map with no other fields than these. */
function fields(required: Json, optional: Json = {}): Json {
  return { type: 'object', properties: { ...required, ...optional }, required: Object.keys(required), additionalProperties: false };
}

function object(apiVersion: string, kind: string, spec: Json): Json {
  return fields({ apiVersion: { const: apiVersion }, kind: { const: kind }, metadata: fields({ name: NAME, namespace: NAME }, { labels: { type: 'object' } }), spec });
}

/**
 * The kinds of the External Secrets operator that the library uses. The schemas of Kubernetes do not include them.
 *
 * @see https://external-secrets.io/latest/api/externalsecret/
 * @see https://external-secrets.io/latest/api/secretstore/
 */
const EXTERNAL_SECRETS: Record<string, Json> = {
  ExternalSecret: object('external-secrets.io/v1', 'ExternalSecret', fields({
    secretStoreRef: fields({ name: NAME, kind: { enum: ['SecretStore', 'ClusterSecretStore'] } }),
    refreshInterval: { type: 'string', pattern: '^\\d+[smh]$' },
    target: fields({
      name: NAME,
      template: fields({ engineVersion: { const: 'v2' }, data: { type: 'object', minProperties: 1, propertyNames: KEY, additionalProperties: { type: 'string' } } }),
    }),
    data: {
      type: 'array', minItems: 1, items: fields({ secretKey: KEY, remoteRef: fields({ key: { type: 'string', minLength: 1 } }, { property: { type: 'string', minLength: 1 } }) }),
    },
  })),
  SecretStore: object('external-secrets.io/v1', 'SecretStore', fields({
    provider: fields({
      aws: fields({
        service: { enum: ['SecretsManager', 'ParameterStore'] }, region: { type: 'string', minLength: 1 }, auth: fields({ jwt: fields({ serviceAccountRef: fields({ name: NAME }) }) }),
      }),
    }),
  })),
};

const STRINGS = { type: 'object', additionalProperties: { type: 'string' } };
const IDS = { type: 'array', minItems: 1, items: fields({ id: { type: 'string', minLength: 1 } }) };
const ROLE = { type: 'string', minLength: 1 };

/** Kinds without a namespace. */
function clusterObject(apiVersion: string, kind: string, spec: Json): Json {
  return fields({ apiVersion: { const: apiVersion }, kind: { const: kind }, metadata: fields({ name: NAME }, { labels: { type: 'object' } }), spec });
}

/**
 * The kinds of Karpenter and EKS Auto Mode that the library uses.
 *
 * @see https://github.com/kubernetes-sigs/karpenter/blob/main/pkg/apis/crds/karpenter.sh_nodepools.yaml
 * @see https://github.com/aws/karpenter-provider-aws/blob/main/pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml
 * @see https://docs.aws.amazon.com/eks/latest/userguide/create-node-class.html
 * @see https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-alb.html
 */
const KARPENTER: Record<string, Json> = {
  NodePool: clusterObject('karpenter.sh/v1', 'NodePool', fields({
    template: fields({
      metadata: fields({ labels: STRINGS }),
      spec: fields({
        nodeClassRef: fields({ group: { enum: ['karpenter.k8s.aws', 'eks.amazonaws.com'] }, kind: { enum: ['EC2NodeClass', 'NodeClass'] }, name: NAME }),
        taints: { type: 'array', items: fields({ key: KEY, effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] } }, { value: { type: 'string' } }) },
        requirements: {
          type: 'array',
          minItems: 1,
          items: fields({ key: { type: 'string', pattern: '^[a-z0-9.]+/[a-z-]+$' }, operator: { enum: ['In', 'Gt'] }, values: { type: 'array', minItems: 1, items: { type: 'string' } } }),
        },
        terminationGracePeriod: { type: 'string', pattern: '^([0-9]+(s|m|h))+$' },
      }),
    }),
    disruption: fields({ consolidationPolicy: { enum: ['WhenEmpty', 'WhenEmptyOrUnderutilized'] }, consolidateAfter: { type: 'string', pattern: '^(([0-9]+(s|m|h))+|Never)$' } }),
    limits: fields({ cpu: { type: 'integer', minimum: 1 } }),
  })),
  EC2NodeClass: clusterObject('karpenter.k8s.aws/v1', 'EC2NodeClass', fields({
    role: ROLE,
    amiSelectorTerms: { type: 'array', minItems: 1, maxItems: 1, items: fields({ alias: { type: 'string', pattern: '^[a-z0-9]+@.+$' } }) },
    subnetSelectorTerms: IDS,
    securityGroupSelectorTerms: IDS,
    blockDeviceMappings: {
      type: 'array',
      items: fields({
        deviceName: { type: 'string' },
        ebs: fields({ volumeSize: { type: 'string', pattern: '^[1-9][0-9]*Gi$' }, volumeType: { const: 'gp3' }, encrypted: { const: true }, deleteOnTermination: { const: true } }),
      }),
    },
    metadataOptions: fields({ httpEndpoint: { const: 'enabled' }, httpTokens: { const: 'required' }, httpPutResponseHopLimit: { const: 1 } }),
    tags: STRINGS,
  })),
  NodeClass: clusterObject('eks.amazonaws.com/v1', 'NodeClass', fields({
    role: ROLE,
    subnetSelectorTerms: IDS,
    securityGroupSelectorTerms: IDS,
    ephemeralStorage: fields({ size: { type: 'string', pattern: '^[1-9][0-9]*Gi$' } }),
  })),
  IngressClassParams: clusterObject('eks.amazonaws.com/v1', 'IngressClassParams', fields({ group: fields({ name: { type: 'string', pattern: '^[a-z0-9][-a-z0-9.]*$' } }) })),
};

const ajv = new Ajv({ allErrors: true });
const validators = Object.fromEntries(Object.entries({ ...EXTERNAL_SECRETS, ...KARPENTER }).map(([kind, schema]) => [kind, ajv.compile(schema)]));

/** A copy that records which fields a validator does not read, because its schema does not have them. */
function watched(value: any, path: string, unread: Set<string>): any {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const copy: any = Array.isArray(value) ? [] : {};
  for (const [key, child] of Object.entries(value)) {
    const childPath = `${path}/${key}`;
    const seen = watched(child, childPath, unread);
    unread.add(childPath);
    Object.defineProperty(copy, key, {
      enumerable: true,
      get: () => {
        unread.delete(childPath);
        return seen;
      },
    });
  }
  return copy;
}

/** The contradictions between an object and the schema of its kind. */
function errorsOf(object_: Json): string[] {
  const { apiVersion, kind } = object_;
  const validate = validators[kind];
  if (validate) {
    return validate(object_) ? [] : (validate.errors ?? []).map((error) => JSON.stringify(error));
  }
  const Kind = jest.requireActual(`kubernetes-models/${apiVersion}/${kind}`)[kind]; // fails for a kind that Kubernetes does not have
  const unread = new Set<string>();
  try {
    Kind.prototype.validate.call(watched(object_, '', unread));
  } catch (error) {
    return [(error as Error).message];
  }
  return [...unread].map((path) => `${path} is not a field of ${apiVersion} ${kind}`);
}

/** The variables that an ExternalSecret fetches, and those that its templates use. */
function variablesOf({ spec }: Json): { fetched: string[]; used: string[] } {
  const templates = Object.values<string>(spec.target.template.data).join();
  return { fetched: spec.data.map(({ secretKey }: Json) => secretKey).sort(), used: [...new Set(templates.match(/(?<=\.)secret\d+/g))].sort() };
}

describe.each(CHARTS_UNDER_TEST)('with the $name chart', (underTest) => {
  const { chart } = underTest;

  test.each(casesOf(underTest))('%s: all objects of the manifests are valid', (_name, { props }) => {
    const { template } = synthAirflow((stack) => ({ chart: chart(), ...props(stack) }));
    const extraManifests: unknown[] = valuesOf(template).extraManifests ?? [];
    // Those that are templates are rendered, and checked, in charts.test.ts.
    const objects = [...objectsOf(template), ...extraManifests.filter((each): each is Json => typeof each !== 'string')];
    expect(objects.length).toBeGreaterThanOrEqual(6);
    expect(objects.flatMap((each) => errorsOf(each).map((error) => `${each.kind}/${each.metadata.name}: ${error}`))).toEqual([]);
    for (const externalSecret of objectsOf(template, 'ExternalSecret')) {
      const { fetched, used } = variablesOf(externalSecret);
      expect(used).toEqual(fetched);
    }
  });
});

test.each<[string, string, (broken: Json) => void, string]>([
  ['a field of another type', 'PersistentVolumeClaim', ({ spec }) => { spec.accessModes = 'ReadWriteMany'; }, 'must be array'],
  ['a missing field', 'PersistentVolume', ({ spec }) => { delete spec.csi.volumeHandle; }, 'volumeHandle'],
  ['a misspelled field', 'PersistentVolume', ({ spec }) => { spec.csi.volumehandle = 'fs-1'; }, '/spec/csi/volumehandle is not a field'],
  ['an unknown field at the top', 'Namespace', (namespace) => { namespace.labels = {}; }, '/labels is not a field'],
  ['a misspelled field of an ExternalSecret', 'ExternalSecret', ({ spec }) => { spec.refreshinterval = '1h'; }, 'refreshinterval'],
  ['a missing field of an ExternalSecret', 'ExternalSecret', ({ spec }) => { delete spec.data[0].remoteRef.key; }, "'key'"],
  ['a store of another service', 'SecretStore', ({ spec }) => { spec.provider.aws.service = 'Secrets'; }, 'enum'],
])('finds %s', (_name, kind, breakIt, message) => {
  const [found] = objectsOf(synthAirflow().template, kind);
  expect(errorsOf(found)).toEqual([]);
  breakIt(found);
  expect(errorsOf(found).join()).toContain(message);
});

test('finds a kind that Kubernetes does not have', () => {
  expect(() => errorsOf({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingres' })).toThrow('Cannot find module');
});
