import { invalidParams } from "./rpc-error.ts";

/** One page of a list, in the protocol's terms. */
export interface Page<Item> {
  readonly items: Item[];
  readonly next: { readonly nextCursor?: string };
}

/** Cuts the page that starts at a cursor; without a size there is one page. */
export function page<Item>(all: readonly Item[], cursor: string | undefined, size: number | undefined): Page<Item> {
  const start = cursor === undefined ? 0 : offsetOf(cursor, all.length);
  const end = size === undefined ? all.length : start + size;
  return { items: all.slice(start, end), next: end < all.length ? { nextCursor: `offset-${end}` } : {} };
}

function offsetOf(cursor: string, length: number): number {
  const offset = Number(/^offset-(\d+)$/.exec(cursor)?.[1]);
  if (Number.isInteger(offset) && offset <= length) return offset;
  throw invalidParams(`Unknown cursor ${JSON.stringify(cursor)}`);
}
