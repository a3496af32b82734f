import type { CallToolResult } from "mcp-pool";
import { type DemoCall, expectEqual } from "./demo-call.ts";

/** What the memory server must know: each note whose creation it has confirmed. */
export class ExpectedMemory {
  readonly #confirmed = new Set<string>();
  readonly #server: string;

  constructor(server: string) {
    this.#server = server;
  }

  get size(): number {
    return this.#confirmed.size;
  }

  /** Makes the given number of calls: notes are written, searched for and read. */
  calls(count: number): DemoCall[] {
    return Array.from({ length: count }, (_, index) => {
      if (index % 5 === 4) return this.#read();
      return index % 2 === 0 ? this.#create(`note-${String(index).padStart(3, "0")}`) : this.#search(index);
    });
  }

  /** Says what the whole memory has too much or too little; nothing if it is right. */
  problemOf(result: CallToolResult): string | undefined {
    return expectEqual(namesIn(result).sort(), [...this.#confirmed].sort());
  }

  /** The only call that changes something, so the only one that is not repeated when its answer is lost. */
  #create(name: string): DemoCall {
    const note = { name, entityType: "note", observations: [`the text of ${name}`] };
    return this.#call("create_entities", false, () => ({
      arguments: { entities: [note] },
      problemOf: ({ structuredContent }) => {
        const problem = expectEqual(structuredContent, { entities: [note] });
        if (problem === undefined) this.#confirmed.add(name);
        return problem;
      },
    }));
  }

  #search(index: number): DemoCall {
    return this.#call("search_nodes", true, () => {
      const names = [...this.#confirmed];
      const name = names[index % Math.max(names.length, 1)];
      return {
        arguments: { query: name ?? "there is no such note" },
        problemOf: (result) => expectEqual(namesIn(result), name === undefined ? [] : [name]),
      };
    });
  }

  /** Notes may be added while it waits in line, but none that was confirmed before may be missing. */
  #read(): DemoCall {
    return this.#call("read_graph", true, () => {
      const before = [...this.#confirmed];
      return {
        arguments: {},
        problemOf: (result) => {
          const found = new Set(namesIn(result));
          return expectEqual(
            before.filter((name) => !found.has(name)),
            [],
          );
        },
      };
    });
  }

  #call(tool: string, isSafeToRepeat: boolean, prepare: DemoCall["prepare"]): DemoCall {
    return { server: this.#server, tool, isSafeToRepeat, prepare };
  }
}

function namesIn({ structuredContent }: CallToolResult): string[] {
  const entities: unknown = (structuredContent as { readonly entities?: unknown } | undefined)?.entities;
  return Array.isArray(entities) ? entities.map((entity: { readonly name?: unknown }) => String(entity.name)) : [];
}
