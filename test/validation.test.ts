import { CfnParameter, Duration, Size, Token } from 'aws-cdk-lib';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { newStack, synthAirflow, synthCommunity } from './util';
import { AirflowNodePools, WorkerAutoscaling } from '../src';
import { checkCount, checkFormat, checkUnique, fail } from '../src/validation';

test('an error begins with the path of the construct and has no final period', () => {
  expect(() => fail(newStack(), "'a' must be 1, got 2")).toThrow(new Error("Data: 'a' must be 1, got 2"));
});

test.each([[1], [7], [undefined], [Token.asNumber({ Ref: 'Count' })]])('a count of at least 1: %s', (value) => {
  expect(() => checkCount(newStack(), 'a', value, 1)).not.toThrow();
});

test.each([[0], [-1], [1.5], [NaN], [Infinity]])('fails when a count of at least 1 is %s', (value) => {
  expect(() => checkCount(newStack(), 'a', value, 1)).toThrow(new Error(`Data: 'a' must be a whole number of at least 1, got ${value}`));
  expect(() => checkCount(newStack(), 'a', value, 1, 'use b')).toThrow(new Error(`Data: 'a' must be a whole number of at least 1, got ${value}; use b`));
});

test.each([['abc'], [Token.asString({ Ref: 'Text' })]])('a format: %s', (value) => {
  expect(() => checkFormat(newStack(), 'a', value, /^[a-z]+$/, 'letters')).not.toThrow();
});

test.each([['ABC'], ['']])("fails when a format does not match: '%s'", (value) => {
  expect(() => checkFormat(newStack(), 'a', value, /^[a-z]+$/, 'letters')).toThrow(new Error(`Data: 'a' must be letters, got '${value}'`));
});

test('names that differ', () => {
  expect(() => checkUnique(newStack(), 'a', [])).not.toThrow();
  expect(() => checkUnique(newStack(), 'a', ['b', 'B', 'c'])).not.toThrow();
});

test('fails when a name occurs twice', () => {
  expect(() => checkUnique(newStack(), 'a', ['b', 'c', 'b'])).toThrow(new Error("Data: 'a' must contain each name only once, got 'b' twice"));
});

test.each([['official', synthAirflow], ['community', synthCommunity]])('numbers that are tokens reach the template as they are: %s', (_name, synth) => {
  const { template } = synth((stack) => {
    const number = new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
    return {
      apiServer: { replicas: number },
      workers: {
        replicas: number,
        defaultTaskRetries: number,
        terminationGracePeriod: Duration.seconds(number),
        autoscaling: WorkerAutoscaling.onMemory({ maxReplicas: number, targetMemoryPercent: number }),
      },
      gitSync: { repository: 'https://github.com/example/dags.git', depth: number, period: Duration.seconds(number) },
      connections: [{ id: 'api', type: 'http', port: number }],
      pools: [{ name: 'database', slots: number }],
      ingress: { groupOrder: number, listenerPorts: [{ protocol: elbv2.ApplicationProtocol.HTTP, port: number }] },
      nodePools: AirflowNodePools.managedNodeGroups({ workers: { minSize: number, maxSize: number, diskSize: Size.gibibytes(number) } }),
      databaseCleanup: { retention: Duration.days(number) },
      readyTimeout: Duration.seconds(number),
    };
  });
  const text = JSON.stringify(template.toJSON());
  expect(text).not.toMatch(/e\+?289/); // a token as a number
  expect(text.match(/"Ref":"Number"/g)!.length).toBeGreaterThan(18);
});
