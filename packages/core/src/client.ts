import { CALLED_AT, type CallTime } from "./call-time.ts";
import {
  ADDRESSED,
  COMPLETABLE,
  checked,
  describe,
  type Form,
  isObject,
  type Kind,
  LIST,
  misfit,
  NAMED,
  nameOf,
  OBJECT,
  type ResultSource,
  readToolResult,
} from "./client-forms.ts";
import { type Clock, systemClock } from "./clock.ts";
import { McpTimeoutError, McpValidationError } from "./errors.ts";
import type { RequestOptions } from "./options.ts";
import type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  Prompt,
  ReadResourceResult,
  Resource,
  ResourceParams,
  ResourceTemplate,
  Tool,
} from "./protocol.ts";
import type { RefusedCall } from "./request-records.ts";

/** Makes something of the result of a request, or throws. */
export type ReadResult<Result = unknown> = (result: unknown, source: ResultSource) => Result;

/** Sends requests to one MCP server. */
export interface Requester {
  /**
   * Sends one request and resolves with the JSON-RPC result; rejects, and never throws.
   * `options.meta` is merged into `params._meta` here, not by the caller.
   */
  request(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options?: RequestOptions,
  ): Promise<unknown>;
  /** The same, and resolves with what `read` makes of the result, which saves a promise; rejects with what it throws. */
  requestRead?<Result>(
    method: string,
    params: Readonly<Record<string, unknown>> | undefined,
    options: RequestOptions | undefined,
    read: ReadResult<Result>,
  ): Promise<Result>;
  /** Runs requests that belong together on one connection, where there are several. */
  onOneConnection?<T>(work: (requester: Requester) => Promise<T>): Promise<T>;
}

/** Tells an {@link McpClient} of its surroundings, which it looks at when it needs them. */
export interface McpClientContext {
  /** Name of the server, for messages. */
  readonly serverName?: string | undefined;
  /** Time for all pages of a list in milliseconds, where the options of a call give none. @default unlimited */
  readonly timeoutMs?: number | undefined;
  /** @default the machine's own clock */
  readonly clock?: Clock | undefined;
  /** Is told of a call whose parameters are wrong, so that nothing is sent. */
  readonly onRefused?: ((call: RefusedCall) => void) | undefined;
}

/**
 * Speaks MCP over a {@link Requester}: checks and types what goes out and what comes back.
 *
 * Every method rejects, and never throws. With {@link McpValidationError}, either nothing was sent since the parameters are
 * wrong, or the server's answer has the wrong form. Results are handed on as they came.
 */
export class McpClient {
  readonly #requester: Requester;
  readonly #context: McpClientContext;

  constructor(requester: Requester, context: McpClientContext = {}) {
    this.#requester = requester;
    this.#context = context;
  }

  /** Calls a tool; a result with `isError` is returned like any other. */
  callTool(params: CallToolParams, options?: RequestOptions): Promise<CallToolResult> {
    const refused = this.#refuse("tools/call", params, NAMED, options);
    if (refused !== undefined) return refused;
    const requester = this.#requester;
    return requester.requestRead === undefined
      ? requester.request("tools/call", params, options).then((result) => readToolResult(result, this.#context))
      : requester.requestRead("tools/call", params, options, readToolResult);
  }

  /** Lists the tools of every page; `timeoutMs` is the time for all pages. */
  async listTools(options?: RequestOptions): Promise<ListToolsResult> {
    return { tools: await this.#list<Tool>("tools/list", "tools", options) };
  }

  /** Lists the resources of every page; `timeoutMs` is the time for all pages. */
  async listResources(options?: RequestOptions): Promise<ListResourcesResult> {
    return { resources: await this.#list<Resource>("resources/list", "resources", options) };
  }

  /** Lists the resource templates of every page; `timeoutMs` is the time for all pages. */
  async listResourceTemplates(options?: RequestOptions): Promise<ListResourceTemplatesResult> {
    const resourceTemplates = await this.#list<ResourceTemplate>(
      "resources/templates/list",
      "resourceTemplates",
      options,
    );
    return { resourceTemplates };
  }

  /** Reads a resource. */
  readResource(params: ResourceParams, options?: RequestOptions): Promise<ReadResourceResult> {
    return this.#send("resources/read", params, ADDRESSED, LIST, "contents", options);
  }

  /** Lists the prompts of every page; `timeoutMs` is the time for all pages. */
  async listPrompts(options?: RequestOptions): Promise<ListPromptsResult> {
    return { prompts: await this.#list<Prompt>("prompts/list", "prompts", options) };
  }

  /** Gets a prompt with its arguments filled in. */
  getPrompt(params: GetPromptParams, options?: RequestOptions): Promise<GetPromptResult> {
    return this.#send("prompts/get", params, NAMED, LIST, "messages", options);
  }

  /** Asks for proposals for the rest of an argument. */
  complete(params: CompleteParams, options?: RequestOptions): Promise<CompleteResult> {
    return this.#send("completion/complete", params, COMPLETABLE, OBJECT, "completion", options);
  }

  /** Asks the server to notify when a resource changes. */
  async subscribeResource(params: ResourceParams, options?: RequestOptions): Promise<void> {
    await this.#send("resources/subscribe", params, ADDRESSED, OBJECT, "", options);
  }

  /** Ends what {@link McpClient.subscribeResource} began. */
  async unsubscribeResource(params: ResourceParams, options?: RequestOptions): Promise<void> {
    await this.#send("resources/unsubscribe", params, ADDRESSED, OBJECT, "", options);
  }

  #send<Result>(
    method: string,
    params: Readonly<Record<string, unknown>>,
    form: Form,
    wanted: Kind,
    field: string,
    options: RequestOptions | undefined,
  ): Promise<Result> {
    return (
      this.#refuse(method, params, form, options) ??
      this.#requester
        .request(method, params, options)
        .then((result) => checked(method, result, wanted, field, this.#context) as Result)
    );
  }

  /** A cursor may mean something on the connection alone that gave it. */
  #list<Item>(method: string, field: string, options: (RequestOptions & CallTime) | undefined): Promise<Item[]> {
    const startedAt = options?.[CALLED_AT] ?? this.#clock.now();
    const list = (requester: Requester) => this.#pages<Item>(requester, { method, field, startedAt }, options);
    return this.#requester.onOneConnection?.(list) ?? list(this.#requester);
  }

  async #pages<Item>(
    requester: Requester,
    { method, field, startedAt }: { readonly method: string; readonly field: string; readonly startedAt: number },
    options: RequestOptions | undefined,
  ): Promise<Item[]> {
    const cursors = new Set<string>();
    const read = async (cursor: string | undefined) => {
      const params = cursor === undefined ? undefined : { cursor };
      const pageOptions = this.#pageOptions(method, startedAt, cursors.size, options);
      return checked(method, await requester.request(method, params, pageOptions), LIST, field, this.#context);
    };
    const first = await read(undefined);
    let page = first;
    let items = page[field] as Item[];
    for (;;) {
      const cursor = page.nextCursor ?? undefined;
      if (cursor === undefined) return items;
      if (typeof cursor !== "string")
        throw misfit(method, "nextCursor", `must be a string, got ${describe(cursor)}`, this.#context);
      if (cursors.has(cursor))
        throw misfit(method, "nextCursor", "must not repeat: the list would never end", this.#context);
      cursors.add(cursor);
      if (cursors.size >= MAX_PAGES) throw misfit(method, field, `must end within ${MAX_PAGES} pages`, this.#context);
      page = await read(cursor);
      // An empty string is a cursor like any other (2026-07-28, pagination). But some servers mean "the end" by it, and
      // answer with their first page again.
      const isRestart = cursor === "" && page.nextCursor === first.nextCursor;
      if (isRestart && JSON.stringify(page[field]) === JSON.stringify(first[field])) return items;
      items = items.concat(page[field] as Item[]);
    }
  }

  /** What is left of the time for all pages is the time for the next one. */
  #pageOptions(
    method: string,
    startedAt: number,
    pagesRead: number,
    options: RequestOptions | undefined,
  ): (RequestOptions & CallTime) | undefined {
    const timeoutMs = options?.timeoutMs ?? this.#context.timeoutMs ?? Infinity;
    const spentMs = this.#clock.now() - startedAt;
    if (spentMs === 0 && pagesRead === 0) return options;
    const leftMs = timeoutMs - spentMs;
    if (leftMs === Infinity) return options;
    if (leftMs > 0) return { ...options, timeoutMs: leftMs, [CALLED_AT]: undefined };
    const message = `${method} on ${this.#server} took longer than ${timeoutMs} ms; pages read: ${pagesRead}`;
    const outcome = pagesRead === 0 ? "not-sent" : "unknown";
    const error = new McpTimeoutError(message, { serverName: this.#serverName, phase: "request", outcome });
    this.#context.onRefused?.({ method, options, error });
    throw error;
  }

  get #clock(): Clock {
    return this.#context.clock ?? systemClock;
  }

  get #serverName(): string | undefined {
    return this.#context.serverName;
  }

  get #server(): string {
    return nameOf(this.#serverName);
  }

  #refuse(
    method: string,
    params: unknown,
    form: Form,
    options: RequestOptions | undefined,
  ): Promise<never> | undefined {
    try {
      if (isObject(params) && form.fits(params)) return undefined;
    } catch (error) {
      return Promise.reject(error);
    }
    const issues = isObject(params)
      ? form.issues(params)
      : [{ path: "", message: `must be an object, got ${describe(params)}` }];
    const list = issues.map((issue) => `${issue.path || "they"} ${issue.message}`).join("; ");
    const message = `invalid parameters of ${method} for ${this.#server}, so it was not sent: ${list}`;
    const error = new McpValidationError(message, { serverName: this.#serverName, issues });
    this.#context.onRefused?.({ method, params, options, error });
    return Promise.reject(error);
  }
}

/** Does what {@link McpClient.callTool} does for a call without options, unless there is something wrong with its parameters. */
export function callPlainTool(requester: Requester, params: CallToolParams): Promise<CallToolResult> | undefined {
  try {
    if (!isObject(params) || !NAMED.fits(params)) return undefined;
  } catch {
    return undefined;
  }
  return requester.requestRead?.("tools/call", params, undefined, readToolResult);
}

const MAX_PAGES = 1_000;
