import { readdirSync, readFileSync } from 'fs';
import { asset } from '../src/assets';

test.each(readdirSync('src/assets'))('the text of %s', (name) => {
  expect(asset(name)).toBe(readFileSync(`src/assets/${name}`, 'utf8'));
});

test('fails when there is no such file', () => {
  expect(() => asset('users.py')).toThrow('ENOENT');
});

test('the package contains the files of other languages, beside the file that reads them', () => {
  const { files } = JSON.parse(readFileSync('package.json', 'utf8'));
  const { tasks } = JSON.parse(readFileSync('.projen/tasks.json', 'utf8'));
  expect(files).toContain('lib/assets/*');
  expect(tasks.compile.steps).toContainEqual({ exec: 'cp -r src/assets lib' });
});
