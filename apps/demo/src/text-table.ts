import Table from "cli-table3";

/** A column: its title, and where its cells stand. */
export type Column = readonly [title: string, align?: "right"];

/** No frame, just a rule under the titles: narrow enough for 80 characters. */
const RULED = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: " ", "left-mid": " ", mid: "─", "mid-mid": "", right: "", "right-mid": "", middle: "" },
};

/** Lays rows out under titles; colours are the caller's. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(([title]) => title),
    colAligns: columns.map(([, align]) => align ?? "left"),
    chars: RULED,
    style: { head: [], border: [], compact: true, "padding-left": 1, "padding-right": 1 },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replaceAll(/ +$/gm, "");
}
