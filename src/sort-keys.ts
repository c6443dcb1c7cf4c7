/**
 * The same value, with the keys of its maps in the order of the alphabet.
 *
 * What is written as text must not hang on the order in which a map arrives: Java's `Map.of()` has another one in each run, and
 * would change the template, and restart the pods, at each deployment.
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
