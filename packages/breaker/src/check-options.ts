import { type Issue, McpConfigurationError } from "@mcp-pool/core";

/** What a number must be. */
export interface NumberRule {
  readonly least: number;
  readonly most?: number;
  readonly isWhole?: boolean;
}

/**
 * Checks the numbers among the options of a plugin; `undefined` leaves the default.
 * @throws {McpConfigurationError} which lists every problem
 */
export function checkOptions(
  path: string,
  options: object,
  rules: Readonly<Record<string, NumberRule>>,
  others: readonly string[],
): void {
  const issues: Issue[] = [];
  for (const [name, value] of Object.entries(options) as readonly [string, unknown][]) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) {
      if (others.includes(name)) continue;
      const known = [...Object.keys(rules), ...others].join(", ");
      issues.push({ path: `${path}.${name}`, message: `is not known; there are ${known}` });
    } else if (value !== undefined) {
      const { least, most = Infinity, isWhole = false } = rule;
      const isGood =
        typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value));
      const upTo = most === Infinity ? "" : ` and at most ${most}`;
      const kind = isWhole ? "whole number" : "number";
      if (!isGood)
        issues.push({
          path: `${path}.${name}`,
          message: `must be a ${kind} of at least ${least}${upTo}, not ${String(value)}`,
        });
    }
  }
  if (issues.length > 0) throw new McpConfigurationError(issues);
}
