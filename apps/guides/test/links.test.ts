import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PAGES = globSync(["*.md", "docs/**/*.md", "{packages,apps,examples,tooling}/*/README.md"], { cwd: ROOT }).sort();

it("every page has pages to link to", () => {
  expect(PAGES.length).toBeGreaterThan(30);
});

it.each(PAGES)("what %s links to is there", (page) => {
  const dead = linksOf(read(page)).filter((link) => !leadsSomewhere(page, link));
  expect(dead).toEqual([]);
});

function read(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

/** The targets of links within the repository. */
function linksOf(markdown: string): readonly string[] {
  const prose = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^\w+:/.test(target));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? join(ROOT, page) : join(ROOT, dirname(page), path);
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const file = statSync(target).isDirectory() ? join(target, "README.md") : target;
  return existsSync(file) && anchorsOf(readFileSync(file, "utf8")).includes(anchor);
}

/** The anchors that GitHub gives to headings. */
function anchorsOf(markdown: string): readonly string[] {
  const headings = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "").matchAll(/^#{1,6} (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replaceAll(/\s/g, "-"),
  );
}
