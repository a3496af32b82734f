import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Command {
  readonly isQuick: boolean;
  readonly isCheck: boolean;
  readonly isStored: boolean;
  /** Scenarios to run, by the beginning of their ids; empty: all. */
  readonly only: readonly string[];
  readonly rounds: number | undefined;
}

/**
 * Reads the command line: `--quick`, `--check`, `--store`, `--only A1,B`, `--rounds 5`.
 * @throws an Error that says what is wrong
 */
export function parseCommandLine(args: readonly string[]): Command {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      store: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
    },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isSafeInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds must be a whole number above 0, not "${values.rounds}"`);
  }
  const only = values.only.flatMap((each) => each.split(",")).filter((each) => each !== "");
  return { isQuick: values.quick, isCheck: values.check, isStored: values.store, only, rounds };
}

/** Whether a scenario is meant by a name: its id, or whole parts of its beginning, as `B` and `B/stdio` are of `B/stdio/1`. */
export function isMeant(id: string, name: string): boolean {
  const [wanted, own] = [name.toLowerCase(), id.toLowerCase()];
  return own === wanted || own.startsWith(`${wanted}/`) || (/^[a-z]$/.test(wanted) && own.startsWith(wanted));
}
