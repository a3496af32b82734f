import type { Issue } from "@mcp-pool/core";

/** `${NAME}` or `${NAME:-default}`. */
const VARIABLE = /\$\{([^}]*?)(?::-([^}]*))?\}/g;

/** Replaces the variables in every string of a value, once. Variables that are not set are reported, and never guessed. */
export function interpolate<T>(
  value: T,
  env: Readonly<Record<string, string | undefined>>,
  path: string,
  issues: Issue[],
): T {
  if (typeof value === "string") {
    return value.replace(VARIABLE, (_all, name: string, fallback: string | undefined) => {
      const found = env[name] ?? fallback;
      if (found === undefined) issues.push({ path, message: `the environment variable ${name} is not set` });
      return found ?? "";
    }) as T;
  }
  if (Array.isArray(value)) return value.map((each, index) => interpolate(each, env, `${path}.${index}`, issues)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, interpolate(each, env, `${path}.${key}`, issues)]);
  return Object.fromEntries(entries) as T;
}
