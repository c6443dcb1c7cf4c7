/**
 * The same value, with the keys of its maps sorted.
 *
 * Text that is written to a template must not depend on the order in which a map arrives: Java's `Map.of()` has a different order in
 * each run, which would change the template, and restart the pods, with every deployment.
 */
export function sortKeys<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(sortKeys) as T;
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([key, item]) => [key, sortKeys(item)])) as T;
}
