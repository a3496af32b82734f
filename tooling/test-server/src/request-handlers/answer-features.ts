import {
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { page } from "../page.ts";
import type { Session } from "../session.ts";
import { getStaticPrompt, languages, staticPrompts } from "../static-prompts.ts";
import { itemIds, readStaticResource, resourceTemplates, staticResources } from "../static-resources.ts";

/** Answers what concerns resources, prompts and completion. */
export function answerFeatures(session: Session): void {
  answerResources(session);
  answerPrompts(session);
  answerCompletion(session);
}

function answerResources(session: Session): void {
  const { server, backend, subscriptions } = session;
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) => {
    const { items, next } = page(staticResources, params?.cursor, session.pages);
    return { resources: items, ...next };
  });
  server.setRequestHandler(ListResourceTemplatesRequestSchema, ({ params }) => {
    const { items, next } = page(resourceTemplates, params?.cursor, session.pages);
    return { resourceTemplates: items, ...next };
  });
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) =>
    readStaticResource(params.uri, backend.touches(params.uri)),
  );
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscriptions.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscriptions.delete(params.uri);
    return {};
  });
}

function answerPrompts(session: Session): void {
  const { server } = session;
  server.setRequestHandler(ListPromptsRequestSchema, ({ params }) => {
    const { items, next } = page(staticPrompts, params?.cursor, session.pages);
    return { prompts: items, ...next };
  });
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => getStaticPrompt(params.name, params.arguments));
}

function answerCompletion({ server }: Session): void {
  server.setRequestHandler(CompleteRequestSchema, ({ params }) => {
    const offered = params.ref.type === "ref/prompt" ? languages : itemIds;
    const values = offered.filter((value) => value.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
