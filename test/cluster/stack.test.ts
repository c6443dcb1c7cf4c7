import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { Assembly, Resource } from './assembly';
import { Deployed, Properties, Provider } from './provider';
import { Report } from './report';
import { Stack, StackOptions, State } from './stack';

const folder = mkdtempSync(join(tmpdir(), 'stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An assembly with one stack. */
function assembly(Resources: Record<string, Resource>, Conditions = {}): Assembly {
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({
    artifacts: { Stack: { type: 'aws:cloudformation:stack', environment: 'aws://unknown-account/unknown-region', properties: { templateFile: 'template.json' } } },
  }));
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ Resources, Conditions }));
  return new Assembly(folder);
}

/** Remembers what it is told to do. */
class Recorder implements Provider {
  public readonly calls: string[] = [];
  private count = 0;

  public readonly asserted = () => true;
  public properties(_type: string, resolved: Properties): Properties {
    return resolved;
  }
  public async create(id: string, _type: string, properties: Properties) {
    this.calls.push(`create ${id} ${JSON.stringify(properties)}`);
    return { physicalId: `${id}-${++this.count}`, attributes: { Value: `value of ${id}` } };
  }
  public async update(id: string, old: Deployed, properties: Properties) {
    this.calls.push(`update ${id} ${JSON.stringify(old.properties)} to ${JSON.stringify(properties)}`);
    return { ...old, physicalId: properties.name ? `${id}-${properties.name}` : old.physicalId };
  }
  public async delete(_id: string, { physicalId }: Deployed) {
    this.calls.push(`delete ${physicalId}`);
  }
  public attribute(id: string, _deployed: Deployed, name: string) {
    return `${name} of ${id}`;
  }
}

let state: State;
let recorder: Recorder;

beforeEach(() => {
  state = { resources: {} };
  jest.spyOn(console, 'log').mockImplementation();
});

/** What is done, in this order. */
async function play(action: (stack: Stack) => Promise<unknown>, options: Partial<StackOptions> = {}): Promise<string[]> {
  recorder = new Recorder();
  await action(new Stack(state, () => recorder, new Report(), { order: { sequential: true }, ...options }));
  return recorder.calls;
}

const create = async (resources: Record<string, Resource>, options?: Partial<StackOptions>) =>
  play(async (stack) => stack.create(assembly(resources)), options);
const update = async (resources: Record<string, Resource>, options?: Partial<StackOptions>) =>
  play(async (stack) => stack.update(assembly(resources)), options);

const A: Resource = { Type: 'Custom::A', Properties: { size: 1 } };
const B: Resource = { Type: 'Custom::B', Properties: { of: { Ref: 'A' } } };

describe('creates', () => {
  test('in order, with what functions refer to', async () => {
    expect(await create({
      C: {
        Type: 'AWS::S3::C',
        DependsOn: ['B'],
        Properties: { region: { Ref: 'AWS::Region' }, arn: { 'Fn::GetAtt': ['A', 'Arn'] }, value: { 'Fn::GetAtt': ['A', 'Value'] } },
      },
      B,
      A,
    })).toEqual([
      'create A {"size":1}',
      'create B {"of":"A-1"}',
      'create C {"region":"eu-central-1","arn":"Arn of A","value":"value of A"}',
    ]);
    expect(Object.keys(state.resources)).toEqual(['A', 'B', 'C']);
  });

  test('what the conditions keep', async () => {
    expect(await play(async (stack) => stack.create(assembly({ A: { ...A, Condition: 'China' }, B: { Type: 'B' } }, {
      China: { 'Fn::Equals': [{ Ref: 'AWS::Partition' }, 'aws-cn'] },
    })))).toEqual(['create B {}']);
  });

  test('and deletes what was created when something fails, except what is retained', async () => {
    expect(await create({
      A: { ...A, DeletionPolicy: 'Retain' },
      B: { ...B, DeletionPolicy: 'RetainExceptOnCreate' },
      C: { Type: 'Custom::C', DependsOn: 'B' },
      D: { Type: 'Custom::D', DependsOn: 'C' },
    }, { fail: 'C' })).toEqual(['create A {"size":1}', 'create B {"of":"A-1"}', 'create C {}', 'delete B-2']);
    expect(state.resources).toEqual({});
  });

  test('and forgets a custom resource that failed, as its provider does, but deletes any other', async () => {
    expect(await create({ A, B: { Type: 'Custom::B', DependsOn: 'A' } }, { fail: 'B' }))
      .toEqual(['create A {"size":1}', 'create B {}', 'delete A-1']);
    expect(await create({ A, B: { Type: 'AWS::S3::B', DependsOn: 'A' } }, { fail: 'B' }))
      .toEqual(['create A {"size":1}', 'create B {}', 'delete B-2', 'delete A-1']);
  });

  test('what is missing after a failure without a rollback', async () => {
    const resources = { A, B: { Type: 'Custom::B', DependsOn: 'A' }, C: { Type: 'Custom::C', DependsOn: 'B' } };
    expect(await create(resources, { fail: 'B', noRollback: true })).toEqual(['create A {"size":1}', 'create B {}']);
    expect(await create(resources)).toEqual(['create B {}', 'create C {}']);
  });
});

describe('updates', () => {
  test('nothing if nothing has changed', async () => {
    await create({ A, B });
    expect(await update({ A: { ...A, DependsOn: [] }, B })).toEqual([]);
  });

  test('what has changed, creates what is new, and at last deletes what is gone', async () => {
    await create({ A, B, Gone: { Type: 'Custom::Gone' }, Kept: { Type: 'AWS::S3::Kept', DeletionPolicy: 'RetainExceptOnCreate' } });
    expect(await update({ A: { ...A, Properties: { size: 2 } }, B, C: { Type: 'Custom::C' } }))
      .toEqual(['update A {"size":1} to {"size":2}', 'create C {}', 'delete Gone-3']);
    expect(Object.keys(state.resources)).toEqual(['A', 'B', 'C']);
  });

  test('what refers to a resource that is replaced, and at last deletes the old one', async () => {
    await create({ A, B });
    expect(await update({ A: { ...A, Properties: { name: 'new' } }, B }))
      .toEqual(['update A {"size":1} to {"name":"new"}', 'update B {"of":"A-1"} to {"of":"A-new"}', 'delete A-1']);
  });

  test('and goes back when something fails', async () => {
    await create({ A, B });
    const before = JSON.stringify(state);
    const resources = { A: { ...A, Properties: { size: 2 } }, B: { ...B, DependsOn: 'A', Properties: { of: 'nothing' } } };
    expect(await update(resources, { fail: 'B' })).toEqual([
      'update A {"size":1} to {"size":2}',
      'update B {"of":"A-1"} to {"of":"nothing"}',
      'update A {"size":2} to {"size":1}',
      'update B {"of":"nothing"} to {"of":"A-1"}',
    ]);
    expect(JSON.stringify(state)).toBe(before);
  });

  test('and deletes what was new when something fails', async () => {
    await create({ A });
    expect(await update({ A, B, C: { Type: 'Custom::C', DependsOn: 'B' } }, { fail: 'C' })).toEqual(['create B {"of":"A-1"}', 'create C {}', 'delete B-1']);
    expect(Object.keys(state.resources)).toEqual(['A']);
  });
});

test('deletes in the reverse order, and retains what its policy says', async () => {
  await create({ A, B, C: { Type: 'AWS::S3::C', DeletionPolicy: 'Retain' }, D: { Type: 'AWS::S3::D', DependsOn: ['B', 'C'], DeletionPolicy: 'RetainExceptOnCreate' } });
  expect(await play(async (stack) => stack.delete())).toEqual(['delete B-2', 'delete A-1']);
  expect(state.resources).toEqual({});
});
