import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const manifestUrl = import.meta.resolve("@modelcontextprotocol/server-everything/package.json");
const manifest = JSON.parse(readFileSync(new URL(manifestUrl), "utf8")) as { readonly bin: Record<string, string> };
const [path = ""] = Object.values(manifest.bin);

/** How to start server-everything on stdio without looking anything up on the network, as `npx` would. */
export const everythingProgram: { readonly command: string; readonly args: string[] } = {
  command: process.execPath,
  args: [fileURLToPath(new URL(path, manifestUrl)), "stdio"],
};
