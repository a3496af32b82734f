import type { Clock } from "./clock.ts";
import type { ResolvedPoolOptions } from "./options.ts";
import type { PoolRequest } from "./plugin.ts";
import type { Tool } from "./protocol.ts";
import { targetOf } from "./request-errors.ts";
import type { ToolList } from "./tool-list.ts";

/** Requests that read and change nothing. */
const READ_METHODS: ReadonlySet<string> = new Set([
  "completion/complete",
  "ping",
  "prompts/get",
  "prompts/list",
  "resources/list",
  "resources/read",
  "resources/templates/list",
  "server/discover",
  "tools/list",
]);

/**
 * Says whether running a request twice is declared harmless. The first of these that says something decides: the
 * request's own options, the settings of its tool, the tool's annotations if the server is trusted to tell the truth.
 */
export function isDeclaredSafe(
  request: PoolRequest,
  options: ResolvedPoolOptions,
  tools: ToolList,
  clock: Clock,
): boolean | Promise<boolean> {
  const { idempotent, signal } = request.options;
  if (idempotent !== undefined) return idempotent;
  if (request.method !== "tools/call") return READ_METHODS.has(request.method);
  const name = targetOf(request) ?? "";
  const configured = options.tools?.get(name)?.idempotent;
  if (configured !== undefined) return configured;
  if (!options.trustAnnotations) return false;
  const timeoutMs = Math.max(request.deadlineAt - clock.now(), 1);
  return tools.get({ signal, timeoutMs }).then(
    (list) => list.tools.some((tool) => tool.name === name && isAnnotatedSafe(tool)),
    () => false,
  );
}

function isAnnotatedSafe({ annotations }: Tool): boolean {
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}
