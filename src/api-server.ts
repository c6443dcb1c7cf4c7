import { Construct } from 'constructs';
import { ApiServerAutoscaling, checkAutoscaling } from './autoscaling';
import { ComponentOptions, ComponentSettings, componentSettings } from './component';

/**
 * The API server of Airflow 3, or the web server of Airflow 2.
 */
export interface ApiServerOptions extends ComponentOptions {
  /**
   * How the number of API servers follows their load, with `replicas` as the minimum.
   *
   * @default - the number of API servers is fixed
   */
  readonly autoscaling?: ApiServerAutoscaling;
}

/** Applies the defaults of the API server and checks its options. */
export function apiServerSettings(scope: Construct, options: ApiServerOptions = {}): ComponentSettings {
  checkAutoscaling(scope, 'apiServer', options.autoscaling, 'ApiServerAutoscaling.onCpu()');
  const component = componentSettings(scope, 'apiServer', options, { replicas: 2, cpu: '250m', memory: '768Mi' });
  return { ...component, autoscaling: options.autoscaling?._bind(scope, 'apiServer', component.replicas) };
}
