export type { CheckMethod } from "./check-method.ts";
export { health } from "./health.ts";
export type { HealthOptions } from "./health-options.ts";
