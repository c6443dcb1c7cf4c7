import { holds, references, resolve, Scope } from './intrinsics';

const scope: Scope = {
  reference: (name) => ({ 'Bucket': 'bucket-1', 'AWS::Region': 'eu-west-1' })[name],
  attribute: (id, name) => `${id}'s ${name}`,
  condition: (name) => name === 'Yes',
};

test.each([
  ['text', 'text', 'text'],
  ['a reference', { Ref: 'Bucket' }, 'bucket-1'],
  ['an attribute', { 'Fn::GetAtt': ['Bucket', 'Arn'] }, "Bucket's Arn"],
  ['an attribute of a nested stack', { 'Fn::GetAtt': 'Nested.Outputs.Name' }, "Nested's Outputs.Name"],
  ['joined text', { 'Fn::Join': ['-', ['a', { Ref: 'Bucket' }, 3]] }, 'a-bucket-1-3'],
  ['a part of a text', { 'Fn::Select': ['1', { 'Fn::Split': ['-', { Ref: 'Bucket' }] }] }, '1'],
  ['substituted text', { 'Fn::Sub': 'in ${AWS::Region}: ${Bucket} ${Bucket.Arn} ${!Literal}' }, "in eu-west-1: bucket-1 Bucket's Arn ${Literal}"],
  ['substituted text with variables', { 'Fn::Sub': ['${Name}!', { Name: { Ref: 'Bucket' } }] }, 'bucket-1!'],
  ['a choice', { 'Fn::If': ['Yes', { Ref: 'Bucket' }, 'none'] }, 'bucket-1'],
  ['the other choice', { 'Fn::If': ['No', { Ref: 'Bucket' }, 'none'] }, 'none'],
  ['zones', { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
  ['base 64', { 'Fn::Base64': 'text' }, 'dGV4dA=='],
  ['properties without a value', { a: { Ref: 'AWS::NoValue' }, b: [{ 'Fn::If': ['No', 1, { Ref: 'AWS::NoValue' }] }, 2] }, { b: [2] }],
  ['a policy with a condition', { Condition: { StringEquals: { 'a:b': 'c' } } }, { Condition: { StringEquals: { 'a:b': 'c' } } }],
  ['no properties', {}, {}],
])('resolves %s', (_what, value, expected) => {
  expect(resolve(value, scope)).toEqual(expected);
});

test('fails when a function is not supported', () => {
  expect(() => resolve({ 'Fn::ImportValue': 'Export' }, scope)).toThrow("the function 'Fn::ImportValue' is not supported");
  expect(() => holds({ 'Fn::Contains': [] }, scope)).toThrow("the condition 'Fn::Contains' is not supported");
});

test('evaluates conditions', () => {
  expect(holds({ 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] }, scope)).toBe(true);
  expect(holds({ 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] }, scope)).toBe(false);
  expect(holds({ 'Fn::Or': [{ Condition: 'No' }, { 'Fn::Not': [{ Condition: 'No' }] }] }, scope)).toBe(true);
});

test('finds all that a value refers to', () => {
  expect([...references({
    a: [{ Ref: 'A' }, { 'Fn::GetAtt': ['B', 'Arn'] }, { 'Fn::GetAtt': 'C.Arn' }],
    b: { 'Fn::Sub': '${D} ${E.Arn} ${!F}' },
    c: { 'Fn::Sub': ['${G}', { G: { Ref: 'H' } }] },
    d: { 'Fn::Join': ['', ['x', { 'Fn::If': ['Condition', { Ref: 'I' }, 'y'] }]] },
  })].sort()).toEqual(['A', 'B', 'C', 'D', 'E', 'G', 'H', 'I']);
});
