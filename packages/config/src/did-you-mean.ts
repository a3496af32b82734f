import { distance } from "fastest-levenshtein";
import { camelCase } from "./spelling.ts";

/** Returns the known name that is nearest to a wrong one, if one is near enough to be meant. */
export function didYouMean(wrong: string, known: Iterable<string>): string | undefined {
  const simple = (name: string) => camelCase(name).toLowerCase();
  if (wrong.length > 100) return undefined;
  let best: { readonly name: string; readonly cost: number } | undefined;
  for (const name of known) {
    const cost = distance(simple(wrong), simple(name));
    if (cost <= Math.max(1, Math.floor(name.length / 3)) && (best === undefined || cost < best.cost))
      best = { name, cost };
  }
  return best?.name;
}
