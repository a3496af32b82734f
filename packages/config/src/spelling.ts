/** What a key of a file stands for. */
export interface Spelling {
  /** The name of the setting, as code writes it. */
  readonly key: string;
  /** The unit of a plain number, where the setting is a time. */
  readonly unit: "milliseconds" | "seconds" | undefined;
}

/** Names of the document that this project's configuration goes back to. */
const ALIASES: Readonly<Record<string, string>> = { poolConfig: "pool" };

/** Lists the spellings of a setting in files: `maxIdleTimeMs`, `max_idle_time_ms`, `maxIdleTime`, `max_idle_time_seconds` … */
export function spellingsOf(key: string): ReadonlyMap<string, Spelling> {
  const spellings = new Map<string, Spelling>();
  const add = (name: string, unit: Spelling["unit"]) => {
    for (const each of [name, snakeCase(name)]) spellings.set(each, { key, unit });
  };
  if (key.endsWith("Ms")) {
    const base = key.slice(0, -2);
    add(key, "milliseconds");
    add(base, "seconds");
    add(`${base}Seconds`, "seconds");
  } else {
    add(key, undefined);
    for (const [alias, name] of Object.entries(ALIASES)) if (name === key) add(alias, undefined);
  }
  return spellings;
}

/** Lists how code may write a setting: as it is called, or as the document does. */
export function codeSpellingsOf(key: string): ReadonlyMap<string, Spelling> {
  const aliases = Object.keys(ALIASES).filter((alias) => ALIASES[alias] === key);
  return new Map([key, ...aliases].map((name) => [name, { key, unit: undefined }]));
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replace(/[_-]+([a-zA-Z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
