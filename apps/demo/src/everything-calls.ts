import type { CallToolResult } from "mcp-pool";
import { type DemoCall, expectEqual, textOf } from "./demo-call.ts";

const WEATHER = {
  "New York": { temperature: 33, conditions: "Cloudy", humidity: 82 },
  Chicago: { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 },
  "Los Angeles": { temperature: 73, conditions: "Sunny / Clear", humidity: 48 },
} as const;
const CITIES = Object.keys(WEATHER) as readonly (keyof typeof WEATHER)[];

/** Makes the given number of calls to a server-everything: quick ones, and every third takes its time as real tools do. */
export function everythingCalls(server: string, count: number): DemoCall[] {
  return Array.from({ length: count }, (_, index) => {
    if (index % 3 === 2) return slow(server, 0.5 + 0.25 * (index % 8));
    switch (index % 4) {
      case 0:
        return echo(server, `message ${index} to ${server}`);
      case 1:
        return sum(server, index, index * 3);
      case 2:
        return weather(server, CITIES[index % CITIES.length] ?? "Chicago");
      default:
        return annotatedMessage(server);
    }
  });
}

function echo(server: string, message: string): DemoCall {
  return reading(server, "echo", { message }, (result) => expectEqual(textOf(result), `Echo: ${message}`));
}

function sum(server: string, a: number, b: number): DemoCall {
  const text = `The sum of ${a} and ${b} is ${a + b}.`;
  return reading(server, "get-sum", { a, b }, (result) => expectEqual(textOf(result), text));
}

function weather(server: string, location: keyof typeof WEATHER): DemoCall {
  return reading(server, "get-structured-content", { location }, ({ structuredContent }) =>
    expectEqual(structuredContent, WEATHER[location]),
  );
}

function annotatedMessage(server: string): DemoCall {
  return reading(server, "get-annotated-message", { messageType: "success", includeImage: true }, (result) => {
    const image = result.content[1]?.type;
    return expectEqual([textOf(result), image], ["Operation completed successfully", "image"]);
  });
}

function slow(server: string, duration: number): DemoCall {
  const text = `Long running operation completed. Duration: ${duration} seconds, Steps: 1.`;
  return reading(server, "trigger-long-running-operation", { duration, steps: 1 }, (result) =>
    expectEqual(textOf(result), text),
  );
}

function reading(
  server: string,
  tool: string,
  parameters: Readonly<Record<string, unknown>>,
  problemOf: (result: CallToolResult) => string | undefined,
): DemoCall {
  return { server, tool, isSafeToRepeat: true, prepare: () => ({ arguments: parameters, problemOf }) };
}
