/** One behaviour of a contract. Name it after the test framework's fashion, and await its `run`, which rejects when it is broken. */
export interface ContractCase {
  /** A sentence. */
  readonly name: string;
  run(): Promise<void>;
}
