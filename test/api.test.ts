import { execFileSync } from 'child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'fs';
import { join } from 'path';
import { Json } from './util';

const ROOT = join(__dirname, '..');

/** The assembly of the sources as they are now. */
function assembly(): Json {
  const file = join(ROOT, '.jsii');
  const changed = Math.max(...readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) => statSync(join(ROOT, 'src', String(name))).mtimeMs));
  if (!existsSync(file) || statSync(file).mtimeMs < changed) {
    execFileSync(process.execPath, [require.resolve('jsii/bin/jsii'), '--silence-warnings=reserved-word'], { cwd: ROOT, stdio: 'pipe' });
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

jest.setTimeout(120_000);

let types: Json[];
let members: { of: Json; name: string; member: Json }[];

beforeAll(() => {
  types = Object.values<Json>(assembly().types);
  members = types.flatMap((of) => [...of.properties ?? [], ...of.methods ?? [], ...of.members ?? []].map((member) => ({ of, name: `${of.name}.${member.name}`, member })));
});

/** The references to types of a member: its own, its parameters', its result's. */
function typesOf(member: Json): Json[] {
  return [member.type, member.returns?.type, ...(member.parameters ?? []).map(({ type }: Json) => type)].filter(Boolean);
}

/** A reference, and all inside it. */
function nested(type: Json): Json[] {
  return [type, ...[...type.union?.types ?? [], ...type.collection ? [type.collection.elementtype] : []].flatMap(nested)];
}

test('there is an API', () => {
  expect(types.map(({ name }) => name)).toEqual(expect.arrayContaining(['AirflowOnEks', 'AirflowOnEksProps', 'NodePools', 'AirflowSecret']));
  expect(members.length).toBeGreaterThan(150);
});

test('each symbol is documented, in a sentence', () => {
  const symbols = [...types.map((type) => ({ name: type.name, member: type })), ...members];
  expect(symbols.filter(({ member }) => !/\.$/.test(member.docs?.summary ?? '')).map(({ name }) => name)).toEqual([]);
});

test('each parameter is documented', () => {
  const undocumented = members.flatMap(({ name, member }) => (member.parameters ?? []).filter(({ docs }: Json) => !docs?.summary).map((parameter: Json) => `${name}(${parameter.name})`));
  expect(undocumented).toEqual([]);
});

test('each optional property of a struct says its default, and no other has one', () => {
  const properties = members.filter(({ of }) => of.datatype);
  expect(properties.filter(({ member }) => (member.docs?.default !== undefined) !== (member.optional === true)).map(({ name }) => name)).toEqual([]);
});

test("no union but 'cluster'", () => {
  const unions = members.filter(({ member }) => typesOf(member).flatMap(nested).some(({ union }) => union));
  expect([...new Set(unions.map(({ member }) => member.name))]).toEqual(['cluster']);
});

test("no any but in 'values'", () => {
  const untyped = members.filter(({ member }) => typesOf(member).flatMap(nested).some(({ primitive }) => primitive === 'any' || primitive === 'json'));
  expect(untyped.map(({ name }) => name)).toEqual(['AirflowOnEksProps.values']);
});

test('structs are named for what they are, not as interfaces', () => {
  expect(types.filter(({ name, datatype }) => datatype && /^I[A-Z]/.test(name)).map(({ name }) => name)).toEqual([]);
});
