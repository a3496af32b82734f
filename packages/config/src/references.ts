/** A reference such as `${NAME:-default}` in a string. */
export type Reference =
  | { readonly kind: "variable"; readonly name: string; readonly fallback: string | undefined }
  | { readonly kind: "predefined"; readonly name: string }
  | { readonly kind: "scheme"; readonly scheme: string; readonly name: string }
  | { readonly kind: "bad"; readonly reason: string };

/** A string in pieces: text as it is, and references. */
export type Piece = string | Reference;

const ANY = /\$\{([^}]*)\}/g;
const VARIABLE = /^(?:env:)?([A-Za-z_][\w().]*)(?::-(.*))?$/s;
const PREDEFINED = /^(userHome|workspaceFolder|workspaceFolderBasename|pathSeparator|\/)$/;
const SCHEME = /^([A-Za-z][\w+.-]*):(.+)$/s;

/** Takes a string apart. References are never looked for in what a reference stands for. */
export function parseReferences(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ANY)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    pieces.push(parseBody(match[1] ?? ""));
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

function parseBody(body: string): Reference {
  if (body.includes("${")) return { kind: "bad", reason: "a reference cannot stand within another one" };
  if (PREDEFINED.test(body)) return { kind: "predefined", name: body };
  const [, name, fallback] = VARIABLE.exec(body) ?? [];
  if (name !== undefined) return { kind: "variable", name, fallback };
  const [, scheme, rest = ""] = SCHEME.exec(body) ?? [];
  // The rest of what can't be read is not shown: a slip of the hand may have put a secret there.
  if (scheme === undefined)
    return { kind: "bad", reason: `a reference is \${NAME}, \${NAME:-default} or \${scheme:name}` };
  return { kind: "scheme", scheme, name: rest };
}
