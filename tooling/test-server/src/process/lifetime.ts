const DEFAULT_LIFETIME_MS = 600_000;

/** How long a process of ours may live: the safety net under tests that fail to end it. */
export function lifetimeMs(environment: Readonly<Record<string, string | undefined>> = process.env): number {
  return Number(environment.TEST_SERVER_LIFETIME_MS ?? DEFAULT_LIFETIME_MS);
}
