import type { ConnectRequest, McpConnection } from "@mcp-pool/core";
import { InMemoryResponseCacheStore } from "@modelcontextprotocol/client";
import type { SdkParts, ServerSdk } from "../sdk-binding.ts";
import { settledWithin } from "../settled-within.ts";
import type { ClientSettings } from "../v1/client-options.ts";
import type { Link } from "../v1/link.ts";
import { openConnection } from "../v1/open-connection.ts";
import { EraMemory } from "./era-memory.ts";
import { NegotiatingClient } from "./negotiating-client.ts";
import { SDK_PARTS } from "./sdk-parts.ts";
import type { SdkV2Settings } from "./sdk-v2.ts";
import { SubscriptionHub } from "./subscription-hub.ts";
import { ToolDefinitions } from "./tool-definitions.ts";

/** How long a connect waits at the most for what another one finds out, as a part of its time: that one may hang. */
const PATIENCE = 0.25;

/** What the connections of one authorization context share. */
export interface SharedContext {
  /** Tells the contexts apart, also in the cache. */
  readonly key: string;
  readonly tools: ToolDefinitions;
  readonly hub: SubscriptionHub;
}

/** Opens connections to one server with the 2.x SDK, and keeps what they share. */
export class ServerSdkV2 implements ServerSdk {
  readonly settings: SdkV2Settings;
  readonly clientSettings: ClientSettings;
  readonly eras: EraMemory;
  /** The SDK keeps what is private apart by the key of the context. */
  readonly responses: InMemoryResponseCacheStore = new InMemoryResponseCacheStore();
  readonly #contexts = new Map<string, SharedContext>();
  readonly #probing = new Map<string, Promise<unknown>>();

  constructor(clientSettings: ClientSettings, settings: SdkV2Settings) {
    this.clientSettings = clientSettings;
    this.settings = settings;
    this.eras = new EraMemory(settings.eraTtlMs);
  }

  async open(makeLink: (sdk: SdkParts) => Link, request: ConnectRequest): Promise<McpConnection> {
    const startedAt = performance.now();
    const rest = (): ConnectRequest => {
      return { ...request, timeoutMs: Math.max(1, request.timeoutMs - (performance.now() - startedAt)) };
    };
    const key = contextKey(request.identity);
    const link = makeLink(SDK_PARTS);
    const isProcess = link.endpoint.transport === "stdio";
    // A process is asked in passing; over a network, one connect asks for all.
    if (!isProcess && this.eras.recall(key) === undefined) {
      const others = this.#probing.get(key);
      if (others !== undefined) await within(others, request);
    }
    const client = new NegotiatingClient(this, link, request, key);
    const opening = openConnection(link, rest(), { client, raw: client.raw, settings: this.clientSettings });
    if (!isProcess && !this.#probing.has(key)) {
      const probing = opening.finally(() => this.#probing.delete(key));
      this.#probing.set(key, probing);
      probing.catch(() => {});
    }
    try {
      const connection = await opening;
      client.remember();
      return connection;
    } catch (error) {
      this.eras.forget(key);
      if (!client.diedOfProbe || request.signal.aborted) throw error;
    }
    // Some servers of the legacy era end when they are asked what they don't know; the next one is spared the question.
    this.eras.remember(key, { kind: "legacy" });
    const spared = makeLink(SDK_PARTS);
    const legacy = new NegotiatingClient(this, spared, request, key);
    try {
      return await openConnection(spared, rest(), { client: legacy, raw: legacy.raw, settings: this.clientSettings });
    } catch (error) {
      this.eras.forget(key);
      throw error;
    }
  }

  /** Returns what a new connection shares with others: all of it over HTTP, the definitions of tools with a process. */
  contextFor(key: string, link: Link): SharedContext {
    const known = this.#contexts.get(key);
    if (link.endpoint.transport !== "http") {
      const tools = known?.tools ?? new ToolDefinitions();
      return { key, tools, hub: new SubscriptionHub(this.settings) };
    }
    if (known !== undefined) return known;
    const hub = new SubscriptionHub(this.settings, () => this.#contexts.delete(key));
    const context = { key, tools: new ToolDefinitions(), hub };
    this.#contexts.set(key, context);
    return context;
  }
}

function contextKey(identity: string | undefined): string {
  return identity === undefined ? "" : `identity ${identity}`;
}

/** Waits for what another connect finds out, for a part of the time of this one. */
async function within(others: Promise<unknown>, { signal, timeoutMs }: ConnectRequest): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await settledWithin(Promise.race([others, aborted]), timeoutMs * PATIENCE);
}
