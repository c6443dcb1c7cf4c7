import { readFileSync } from 'fs';

const readme = readFileSync('README.md', 'utf8');

/** The lines of a text without what differs by where it stands: indentation. */
function lines(text: string): string {
  return text.split('\n').map((line) => line.trim()).filter((line) => line).join('\n');
}

// The ones in TypeScript are compiled by jsii-rosetta; these are parts of an app that test:consumers runs.
test.each([
  ['python', 'examples/quickstart/python/app.py'],
  ['java', 'examples/quickstart/java/src/main/java/com/example/QuickstartApp.java'],
])('each example in %s is a part of %s', (language, file) => {
  const examples = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => lines(code));
  expect(examples).not.toHaveLength(0);
  for (const example of examples) {
    expect(lines(readFileSync(file, 'utf8'))).toContain(example);
  }
});
