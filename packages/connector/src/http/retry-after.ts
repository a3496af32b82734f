/** Reads a `Retry-After` header, seconds or an HTTP date (RFC 9110, section 10.2.3), as milliseconds from now. */
export function retryAfterMsOf(header: string | undefined, nowMs: number = Date.now()): number | undefined {
  const value = header?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Math.round(Number(value) * 1_000);
  // A date begins with the day of the week; `Date.parse` alone would read a year into "-5".
  const date = /^[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
