import { ODD } from './util';
import { envVar, verbatim } from '../../../src/chart/official/text';
import { expand, inContainer } from '../templates';

const TEXTS = [ODD, '{{', '}} {{{{ {{`', '', '$$ $(A) ${B}', "''\n'"];

test.each(TEXTS)('the chart does not change verbatim text: %j', (text) => {
  expect(expand({ text: verbatim(text) })).toEqual({ text });
});

test.each(TEXTS)('Kubernetes does not change an environment variable: %j', (text) => {
  const { name, value } = envVar('A', text);
  expect([name, inContainer(value!, { A: 'x', HOME: 'x' })]).toEqual(['A', text]);
});
