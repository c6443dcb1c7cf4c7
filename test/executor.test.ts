import { synthAirflow, synthCommunity, valuesOf } from './util';
import { AirflowExecutor } from '../src';
import { hasCelery, hasKubernetes } from '../src/executor';

test.each([
  [AirflowExecutor.CELERY, 'CeleryExecutor', true, false],
  [AirflowExecutor.KUBERNETES, 'KubernetesExecutor', false, true],
  [AirflowExecutor.CELERY_KUBERNETES, 'CeleryKubernetesExecutor', true, true],
])('%s', (executor, value, celery, kubernetes) => {
  expect([hasCelery(executor), hasKubernetes(executor)]).toEqual([celery, kubernetes]);
  const values = valuesOf(synthCommunity({ executor }).template);
  expect(values.airflow.executor).toBe(value);
  expect([values.workers.enabled, values.flower.enabled]).toEqual([celery, celery]);
  expect('kubernetesPodTemplate' in values.airflow).toBe(kubernetes);
});

test.each([
  [AirflowExecutor.CELERY, 'CeleryExecutor', true],
  [AirflowExecutor.KUBERNETES, 'KubernetesExecutor', false],
  [AirflowExecutor.CELERY_KUBERNETES, 'CeleryExecutor,KubernetesExecutor', true],
])('Airflow 3 with %s', (executor, value, celery) => {
  const values = valuesOf(synthAirflow({ executor }).template);
  expect([values.executor, values.flower.enabled]).toEqual([value, celery]);
});
