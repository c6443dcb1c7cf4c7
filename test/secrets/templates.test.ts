import { fernetTemplate, flowerTemplate, inUrl, privateKeyTemplate } from '../../src/secrets/templates';
import { expand } from '../chart/templates';

const run = (template: string, secret: string) => expand({ text: template }, { secret }).text;

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEF';
const fernet = Buffer.from(letters).toString('base64');
const other = Buffer.from('0123456789'.repeat(3) + '01').toString('base64url');

test.each([
  ['32 letters, as generated', letters, fernet],
  ['32 letters and a line end', `${letters}\n`, fernet],
  ['a Fernet key', fernet, fernet],
  ['a Fernet key and a line end', `${fernet}\n`, fernet],
  ['a list of a new and an old key', `${letters},${fernet}`, `${fernet},${fernet}`],
  ['a list of a new Fernet key and old letters', `${other},${letters}`, `${other},${fernet}`],
])('a Fernet key, from %s', (_name, secret, key) => {
  expect(run(fernetTemplate('secret'), secret)).toBe(key);
});

// Letters and digits never encode to the characters in which URL-safe base64 differs.
test('a Fernet key from 32 letters and digits is 32 bytes in URL-safe base64', () => {
  const key = run(fernetTemplate('secret'), 'abcdefghijklmnopqrstuvwxyz012345');
  expect(key).toMatch(/^[A-Za-z0-9]{43}=$/);
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
});

test.each([['LINE\r\nLINE\r\n'], ['LINE\nLINE'], ['\nLINE\nLINE\n\n']])('a private key with one line end at its end, from %j', (secret) => {
  expect(run(privateKeyTemplate('secret'), secret)).toBe('LINE\nLINE\n');
});

test('the user and the password of Flower', () => {
  expect(run(flowerTemplate('secret'), 'pass')).toBe('airflow:pass');
});

test.each([['letters', 'letters'], ['a b+c', 'a%20b%2Bc'], ['p@ss:w/rd?#%', 'p%40ss%3Aw%2Frd%3F%23%25']])('a password in a URL: %s', (secret, text) => {
  expect(run(inUrl('secret'), secret)).toBe(text);
  expect(decodeURIComponent(text)).toBe(secret);
});
