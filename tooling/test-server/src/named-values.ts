import { invalidParams } from "./rpc-error.ts";

/** Reads the members of a JSON object by name and type; a value of another type is an invalid-params error. */
export class NamedValues {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>> = {}) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  any(name: string): unknown {
    return this.#values[name];
  }

  text(name: string, otherwise?: string): string {
    const value = this.#values[name] ?? otherwise;
    if (typeof value === "string") return value;
    throw wrongType(name, "a string", value);
  }

  number(name: string, otherwise?: number): number {
    const value = this.#values[name] ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw wrongType(name, "a finite number", value);
  }

  flag(name: string): boolean {
    const value = this.#values[name] ?? false;
    if (typeof value === "boolean") return value;
    throw wrongType(name, "true or false", value);
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name] ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw wrongType(name, "a list of strings", value);
  }

  oneOf<Choice extends string>(name: string, choices: readonly Choice[], otherwise?: Choice): Choice {
    const value = this.#values[name] ?? otherwise;
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    throw wrongType(name, `one of ${choices.join(", ")}`, value);
  }
}

function wrongType(name: string, expected: string, value: unknown): Error {
  return invalidParams(`"${name}" must be ${expected}, got ${JSON.stringify(value) ?? "nothing"}`);
}
