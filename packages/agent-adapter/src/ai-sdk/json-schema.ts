import type { PooledTool } from "../pooled-tool.ts";

/** A schema of the AI SDK: a Standard Schema that also brings JSON Schema. */
export interface AiSdkSchema {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => { readonly value: unknown };
    readonly jsonSchema: {
      readonly input: () => Record<string, unknown>;
      readonly output: () => Record<string, unknown>;
    };
  };
}

/** The mark of what `jsonSchema()` of the AI SDK makes; the same in its majors 5, 6 and 7, which look for it first. */
const MARK = Symbol.for("vercel.ai.schema");

/**
 * Wraps a JSON Schema so that the AI SDK passes it on as it is. Arguments are validated by the server alone.
 * Where the mark is not known, the Standard Schema takes over, with copies: the AI SDK writes into what it gets there.
 */
export function wrapJsonSchema(schema: PooledTool["inputSchema"]): AiSdkSchema {
  const copy = () => structuredClone({ ...schema });
  const wrapped = {
    [MARK]: true,
    _type: undefined,
    jsonSchema: schema,
    validate: undefined,
    "~standard": {
      version: 1 as const,
      vendor: "mcp-pool",
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: copy, output: copy },
    },
  };
  return wrapped;
}
