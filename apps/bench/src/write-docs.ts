import { readFileSync, writeFileSync } from "node:fs";
import { fillIn } from "./markdown.ts";
import { readBaseline } from "./results.ts";

/** Pages with figures, and the way from there to the results. */
const PAGES: readonly { readonly path: string; readonly resultsPath: string }[] = [
  { path: "docs/performance.md", resultsPath: "../apps/bench/results/" },
  { path: "README.md", resultsPath: "apps/bench/results/" },
];

/** Returns the pages whose figures are not those of the stored run; with `isWriting`, after writing them. */
export function writeDocs(isWriting: boolean): readonly string[] {
  const run = readBaseline();
  return PAGES.flatMap(({ path, resultsPath }) => {
    const url = new URL(`../../../${path}`, import.meta.url);
    const text = readFileSync(url, "utf8");
    const filled = fillIn(text, run, resultsPath);
    if (filled === text) return [];
    if (isWriting) writeFileSync(url, filled);
    return [path];
  });
}

if (import.meta.main) console.log(`written: ${writeDocs(true).join(", ") || "nothing, all is up to date"}`);
