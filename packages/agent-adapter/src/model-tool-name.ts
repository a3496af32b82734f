import { createHash } from "node:crypto";

/** The narrowest rule among the APIs of models: OpenAI's characters and length, and Gemini's first character. */
const VALID = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
const MAX_LENGTH = 64;
const HASH_LENGTH = 10;
const SEPARATOR = "__";

/**
 * Names a tool for models: `<prefix>__<tool>`, in characters and a length that their APIs take.
 *
 * Two pairs of prefix and tool never share a name: one that had to be changed, cut, or that could be read in two ways ends
 * in a hash of the pair. The name depends on nothing else, so it stays when the list of tools changes.
 */
export function modelToolName(prefix: string, toolName: string): string {
  const plain = prefix === "" ? toolName : `${prefix}${SEPARATOR}${toolName}`;
  const isPlain = VALID.test(plain) && !prefix.includes(SEPARATOR) && !prefix.endsWith("_");
  if (isPlain) return plain;
  const hash = createHash("sha256")
    .update(JSON.stringify([prefix, toolName]))
    .digest("hex")
    .slice(0, HASH_LENGTH);
  const cleaned = plain.replace(/^(?![A-Za-z_])/, "_").replaceAll(/[^A-Za-z0-9_-]/g, "_");
  return `${cleaned.slice(0, MAX_LENGTH - HASH_LENGTH - 1)}_${hash}`;
}
