import type { ClientHandlers, ConnectRequest, HandlerContext } from "@mcp-pool/core";
import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import {
  type CreateMessageRequest,
  CreateMessageRequestSchema,
  type CreateMessageResult,
  type ElicitRequest,
  ElicitRequestSchema,
  type ElicitResult,
  ListRootsRequestSchema,
  type Root,
} from "@modelcontextprotocol/sdk/types.js";

/**
 * Has handlers answer what the server asks of the SDK's client, which checks questions and answers against the protocol.
 * The types of core and of the SDK say the same of both; only their optional properties differ.
 */
export function answerRequests(
  client: Client,
  handlers: ClientHandlers,
  { serverName, identity }: Pick<ConnectRequest, "serverName" | "identity">,
): void {
  const { sampling, elicitation, roots } = handlers;
  const context = (signal: AbortSignal): HandlerContext => ({ serverName, identity, signal });
  if (sampling !== undefined) {
    client.setRequestHandler(CreateMessageRequestSchema, async ({ params }, { signal }) => {
      return (await sampling(params as CoreParams<"sampling">, context(signal))) as CreateMessageResult;
    });
  }
  if (elicitation !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, async ({ params }, { signal }) => {
      return (await elicitation(params as CoreParams<"elicitation">, context(signal))) as ElicitResult;
    });
  }
  if (roots !== undefined) {
    client.setRequestHandler(ListRootsRequestSchema, async (_request, { signal }) => {
      return { roots: [...(await roots(context(signal)))] as Root[] };
    });
  }
}

type CoreParams<Kind extends "sampling" | "elicitation"> = Parameters<NonNullable<ClientHandlers[Kind]>>[0] &
  (CreateMessageRequest | ElicitRequest)["params"];
