import { invalidParams } from "./rpc-error.ts";

/** One page of a list, in the protocol's terms. */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: { readonly nextCursor?: string };
}

/** Cuts the page that starts at a cursor; without a size there is one page. Cursors of another giver are unknown. */
export function page<Item>(
  all: readonly Item[],
  cursor: string | undefined,
  { size, giver }: { readonly size: number | undefined; readonly giver: string },
): Page<Item> {
  const prefix = `${giver}offset-`;
  const start = cursor === undefined ? 0 : offsetOf(cursor, prefix, all.length);
  const end = size === undefined ? all.length : start + size;
  return { items: all.slice(start, end), next: end < all.length ? { nextCursor: `${prefix}${end}` } : {} };
}

function offsetOf(cursor: string, prefix: string, length: number): number {
  const digits = cursor.startsWith(prefix) ? cursor.slice(prefix.length) : "";
  if (/^\d+$/.test(digits) && Number(digits) <= length) return Number(digits);
  throw invalidParams(`Unknown cursor ${JSON.stringify(cursor)}`);
}
