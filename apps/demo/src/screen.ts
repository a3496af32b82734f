import logUpdate from "log-update";
import { createColors } from "picocolors";

/** What is redrawn in place on a terminal. */
export interface LiveView {
  /** Everything, over several lines. */
  draw(): string;
  /** The same in one line, for output that cannot be redrawn. */
  summary(): string;
}

const REDRAW_MS = 100;
const SUMMARY_MS = 1_000;

/** Writes to standard output: with colour and redrawing on a terminal, and as plain lines anywhere else. */
export class Screen {
  readonly isLive: boolean;
  readonly colors: ReturnType<typeof createColors>;
  #isDrawing = false;

  constructor({ stdout, env }: NodeJS.Process = process) {
    const isPlain = isSet(env.CI) || isSet(env.NO_COLOR) || env.TERM === "dumb";
    this.isLive = stdout.isTTY === true && !isPlain;
    this.colors = createColors(this.isLive);
  }

  /** Says what comes next, and why it matters. */
  heading(title: string, why: string): void {
    this.say(`\n${this.colors.bold(this.colors.cyan(`■ ${title}`))}\n${this.colors.dim(indent(why))}\n`);
  }

  /** Writes lines that stay, above whatever is being redrawn. */
  say(text: string): void {
    if (this.#isDrawing && this.isLive) logUpdate.persist(text);
    else console.log(text);
  }

  /** Shows a view while work runs, and leaves its last state on the screen. */
  async during<T>(view: LiveView, work: () => Promise<T>): Promise<T> {
    this.#isDrawing = true;
    const show = this.isLive ? () => logUpdate(view.draw()) : () => console.log(`  … ${view.summary()}`);
    const timer = setInterval(show, this.isLive ? REDRAW_MS : SUMMARY_MS);
    try {
      return await work();
    } finally {
      clearInterval(timer);
      this.#isDrawing = false;
      if (this.isLive) {
        logUpdate(view.draw());
        logUpdate.done();
      } else {
        console.log(view.draw());
      }
    }
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
