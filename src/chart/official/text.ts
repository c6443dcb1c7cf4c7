import { EnvVar, escapeDollars } from '../environment';

/** The chart expands Go templates in most of its values. This text is not one. */
export function verbatim(text: string): string {
  return text.replace(/\{\{/g, '{{`{{`}}');
}

/** An environment variable whose value Kubernetes does not expand: `$(NAME)` stays as it is. */
export function envVar(name: string, text: string): EnvVar {
  return { name, value: escapeDollars(text) };
}
