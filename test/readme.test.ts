import { existsSync, readFileSync } from 'fs';
import { AirflowChart } from '../src';

const readme = readFileSync('README.md', 'utf8');

/** A text without indentation and blank lines, which depend on where it stands. */
function lines(text: string): string {
  return text.split('\n').map((line) => line.trim()).filter((line) => line).join('\n');
}

/** The examples in these languages are compiled or run by test:consumers. Those in TypeScript are compiled by jsii-rosetta. */
const SOURCES: Record<string, string[]> = {
  python: ['examples/quickstart/python/app.py', 'examples/blog/python/app.py'],
  java: ['examples/quickstart/java/src/main/java/com/example/QuickstartApp.java', 'examples/blog/java/src/main/java/com/example/BlogApp.java'],
};

const snippets = Object.keys(SOURCES).flatMap((language) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => ({ language, code, start: code.split('\n')[0] })));

test.each(snippets)('the $language example that starts with "$start" is a part of an app', ({ language, code }) => {
  expect(SOURCES[language].filter((file) => lines(readFileSync(file, 'utf8')).includes(lines(code)))).toHaveLength(1);
});

test.each(Object.keys(SOURCES))('%s has each example', (language) => {
  expect(snippets.filter((snippet) => snippet.language === language)).toHaveLength(2);
});

test('the versions in the table of charts are the defaults', () => {
  const row = (title: string) => readme.split('\n').find((line) => line.startsWith(`| ${title} |`))!.split('|').slice(2, 4).map((cell) => /\d[\d.]*\d/.exec(cell)![0]);
  const charts = [AirflowChart.official(), AirflowChart.community()];
  expect(row('chart version')).toEqual(charts.map(({ chartVersion }) => chartVersion));
  expect(row('Airflow version')).toEqual(charts.map(({ airflowVersion }) => airflowVersion));
});

test('links to sections and to files of the repository lead somewhere', () => {
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title]) => `#${title.toLowerCase().replace(/[^\w -]/g, '').replace(/ /g, '-')}`);
  const links = [...readme.matchAll(/\]\((.*?)\)/g)].map(([, link]) => link);
  expect(links.filter((link) => link.startsWith('#') && !anchors.includes(link))).toEqual([]);
  const files = links.map((link) => /airflow-on-eks\/airflow-on-eks\/(?:(?:blob|tree)\/)?main\/(.*)$/.exec(link)?.[1]).filter((file) => file !== undefined);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});
