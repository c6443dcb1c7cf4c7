/**
 * Five minutes instead of one, for components that listen when they have started. The chart has no startup probes, and its liveness probes end a
 * container that still starts on busy cores: on two of them, the web server of Airflow 2.8 took a minute, and Flower longer.
 */
export const SLOW_START = { livenessProbe: { failureThreshold: 30 } };
