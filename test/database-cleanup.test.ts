import { Duration, Token } from 'aws-cdk-lib';
import { CHARTS_UNDER_TEST, newStack, synthAirflow } from './util';
import { retentionDays } from '../src/database-cleanup';

test('defaults', () => {
  expect(retentionDays(newStack())).toBe(90);
  expect(retentionDays(newStack(), {})).toBe(90);
});

test.each([[Duration.days(1), 1], [Duration.hours(48), 2], [Duration.days(365), 365]])('custom: %s', (retention, days) => {
  expect(retentionDays(newStack(), { retention })).toBe(days);
});

test('custom: a token', () => {
  const days = Token.asNumber({ Ref: 'Days' });
  expect(retentionDays(newStack(), { retention: Duration.days(days) })).toBe(days);
});

const RETENTION = "'databaseCleanup.retention' must be a whole number of days, at least 1, got";

describe.each(CHARTS_UNDER_TEST)('with the $name chart', ({ chart }) => {
  test.each<[string, Duration, string]>([
    ['is zero, which would delete everything', Duration.days(0), '0 days'],
    ['is a part of a day', Duration.hours(12), '0.5 days'],
    ['is not a whole number of days', Duration.hours(36), '1.5 days'],
  ])('fails when the retention %s', (_name, retention, got) => {
    expect(() => synthAirflow({ chart: chart(), databaseCleanup: { retention } })).toThrow(new Error(`Data/Airflow: ${RETENTION} ${got}`));
  });
});
