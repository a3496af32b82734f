import type { HostProcess } from "./process/host-process.ts";

/** What every test server takes, whatever its transport. */
export interface TestServerOptions {
  /** Names the server in its server info. @default "test-server" */
  readonly name?: string;
  /** Versions the server in its server info. @default "1.0.0" */
  readonly version?: string;
  /** Cuts every list into pages of this many items. @default one page */
  readonly pageSize?: number;
  /** Refuses cursors that another session gave. @default false */
  readonly sessionCursors?: boolean;
  /** Appends each execution of the counting tools to this file. @default no file */
  readonly ledgerPath?: string;
  /** Never answers `initialize`. @default false */
  readonly hangOnInitialize?: boolean;
  /** Answers pings, ignores them for ever, or refuses them as an unknown method. @default "answer" */
  readonly ping?: "answer" | "ignore" | "refuse";
  /** Ignores `notifications/cancelled`, so that abandoned requests get late answers. @default false */
  readonly ignoreCancellation?: boolean;
  /** Lets the process tools (`crash`, `stderr`, …) act on this process; without it they are errors. @default undefined */
  readonly hostProcess?: HostProcess;
}
