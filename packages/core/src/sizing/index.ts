export type { ObservedLoad, PoolSize } from "./explain-pool-size.ts";
export { explainPoolSize } from "./explain-pool-size.ts";
