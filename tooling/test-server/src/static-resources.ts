import type { ReadResourceResult, Resource, ResourceTemplate } from "@modelcontextprotocol/sdk/types.js";
import { RpcError } from "./rpc-error.ts";

const RESOURCE_NOT_FOUND = -32_002;
const ITEM_PREFIX = "test://items/";
const BYTES = Buffer.from([0, 1, 2, 253, 254, 255]).toString("base64");

/** Lists the resources that are always there. */
export const staticResources: readonly Resource[] = [
  {
    uri: "test://readme",
    name: "readme",
    mimeType: "text/plain",
    description: "A text that says how often it was touched.",
  },
  { uri: "test://bytes", name: "bytes", mimeType: "application/octet-stream", description: "Six bytes." },
  { uri: "test://settings", name: "settings", mimeType: "application/json", description: "A JSON document." },
];

/** Lists the templates. */
export const resourceTemplates: readonly ResourceTemplate[] = [
  { uriTemplate: `${ITEM_PREFIX}{id}`, name: "item", mimeType: "text/plain", description: "An item by its id." },
];

/** Lists the ids that completion offers for the template. */
export const itemIds: readonly string[] = ["apple", "apricot", "banana"];

/** Tells whether a URI can be read. */
export function isKnownResource(uri: string): boolean {
  return uri.startsWith(ITEM_PREFIX) || staticResources.some((resource) => resource.uri === uri);
}

/** Reads a resource that was touched so many times. */
export function readStaticResource(uri: string, touches: number): ReadResourceResult {
  if (!isKnownResource(uri)) throw new RpcError(RESOURCE_NOT_FOUND, "Resource not found", { uri });
  if (uri === "test://bytes") return { contents: [{ uri, mimeType: "application/octet-stream", blob: BYTES }] };
  if (uri === "test://settings")
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify({ touches }) }] };
  return { contents: [{ uri, mimeType: "text/plain", text: `${uri} touched ${touches} times` }] };
}
