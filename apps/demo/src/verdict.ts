import type { Screen } from "./screen.ts";
import { textTable } from "./text-table.ts";

/** Collects what had to hold, and whether it did. */
export class Verdict {
  readonly #rows: { readonly claim: string; readonly isTrue: boolean; readonly figures: string }[] = [];

  get isGood(): boolean {
    return this.#rows.length > 0 && this.#rows.every(({ isTrue }) => isTrue);
  }

  /** Adds one claim, and the figures that prove or disprove it. */
  add(claim: string, isTrue: boolean, figures: string): void {
    this.#rows.push({ claim, isTrue, figures });
  }

  draw({ colors }: Screen): string {
    const rows = this.#rows.map(({ claim, isTrue, figures }) => {
      return [isTrue ? colors.green("✔") : colors.red("✘"), claim, isTrue ? figures : colors.red(figures)];
    });
    return textTable([[""], ["claim"], ["seen"]], rows);
  }
}
