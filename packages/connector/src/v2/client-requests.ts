import type { ClientHandlers, ConnectRequest, HandlerContext } from "@mcp-pool/core";
import type { Client, CreateMessageResult, ElicitResult, Root } from "@modelcontextprotocol/client";

/**
 * Has handlers answer what a server of the legacy era asks of the SDK's client, which checks questions and answers
 * against the protocol. The types of core and of the SDK say the same of both.
 */
export function answerRequests(
  client: Client,
  handlers: ClientHandlers,
  { serverName, identity }: Pick<ConnectRequest, "serverName" | "identity">,
): void {
  const { sampling, elicitation, roots } = handlers;
  const context = (signal: AbortSignal): HandlerContext => ({ serverName, identity, signal });
  if (sampling !== undefined) {
    client.setRequestHandler("sampling/createMessage", async ({ params }, { mcpReq }) => {
      const question = params as unknown as Parameters<typeof sampling>[0];
      return (await sampling(question, context(mcpReq.signal))) as CreateMessageResult;
    });
  }
  if (elicitation !== undefined) {
    client.setRequestHandler("elicitation/create", async ({ params }, { mcpReq }) => {
      const question = params as unknown as Parameters<typeof elicitation>[0];
      return (await elicitation(question, context(mcpReq.signal))) as ElicitResult;
    });
  }
  if (roots !== undefined) {
    client.setRequestHandler("roots/list", async (_request, { mcpReq }) => {
      return { roots: [...(await roots(context(mcpReq.signal)))] as Root[] };
    });
  }
}
