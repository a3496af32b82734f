import type { Unit } from "./scenario.ts";

/** Writes a figure with its unit. */
export function figure(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return "–";
  switch (unit) {
    case "ns":
      if (value < 1e4) return `${value.toFixed(0)} ns`;
      return value < 1e7 ? `${(value / 1e3).toFixed(0)} µs` : `${(value / 1e6).toFixed(0)} ms`;
    case "ms":
      return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
    case "bytes":
      return value < 1e4 ? `${value.toFixed(value < 10 ? 2 : 0)} B` : `${(value / 1e3).toFixed(1)} kB`;
    case "count":
      return value.toFixed(0);
  }
}

/** Writes a ratio. */
export function ratio(value: number): string {
  if (Number.isNaN(value)) return "–";
  return value < 0.1 ? value.toPrecision(2) : value.toFixed(2);
}
