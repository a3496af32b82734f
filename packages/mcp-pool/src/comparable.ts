/** Numbers of functions: the same one is the same setting, and nothing more can be known. */
const functionIds = new WeakMap<object, number>();
let functionCount = 0;

/** Writes settings down for comparison: the order in which keys are written says nothing. May hold secrets. */
export function comparable(settings: unknown): string {
  return JSON.stringify(settings, (_key, value: unknown) => {
    if (typeof value === "function") {
      const id = functionIds.get(value) ?? ++functionCount;
      functionIds.set(value, id);
      return `function ${id}`;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
