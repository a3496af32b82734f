/** Stands for what is not shown. */
export const MASK = "***";

const LONGEST_SHOWN = 32;

/** Says what a value is, for a message. Long strings, and those that look like secrets, are told by their kind only. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return isShowable(value) ? JSON.stringify(value) : kindOf(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return kindOf(value);
}

/** Says of what kind a value is, and nothing else of it. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return value === "" ? "an empty string" : `a ${typeof value}`;
}

/** Returns a key for a message; one that looks like a secret in the wrong place is masked. */
export function showKey(key: string | number): string {
  return typeof key === "number" || isShowable(key) ? String(key) : MASK;
}

/** A short text that has one line and does not mix letters and digits as keys and tokens do. */
function isShowable(text: string): boolean {
  if (text.length > LONGEST_SHOWN || /[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text)) return false;
  return text.length < 12 || !(/\d/.test(text) && /[a-zA-Z]/.test(text));
}

const SECRET_FLAG = /(key|token|secret|password|passwd|auth|credential|bearer)/i;
const REFERENCE = /\$\{[^}]*\}/g;

/** Hides a value that may be secret, and keeps the names of the variables in it. */
export function maskSecret(value: string): string {
  const names = (value.match(REFERENCE) ?? []).filter((each) => !each.includes(":-"));
  return names.length === 0 ? MASK : names.join("");
}

/** Hides the values of arguments such as `--api-key=…` or `--token …`. */
export function maskArguments(args: readonly string[]): readonly string[] {
  return args.map((arg, index) => {
    const [flag = "", ...rest] = arg.split("=");
    if (rest.length > 0) return SECRET_FLAG.test(flag) ? `${flag}=${maskSecret(rest.join("="))}` : arg;
    const previous = args[index - 1] ?? "";
    const isValue = previous.startsWith("-") && !previous.includes("=") && SECRET_FLAG.test(previous);
    return (isValue && !arg.startsWith("-")) || !isHarmless(arg) ? maskSecret(arg) : arg;
  });
}

/** Hides credentials and the query of a URL. */
export function maskUrl(url: string): string {
  return url.replace(/\/\/[^/@]*@/, `//${MASK}@`).replace(/([?#]).*$/s, `$1${MASK}`);
}

/** Whether an argument does not look like a token by itself. */
function isHarmless(arg: string): boolean {
  return !(/^[A-Za-z0-9_+/=-]{20,}$/.test(arg) && /\d/.test(arg) && /[a-zA-Z]/.test(arg)) || arg.startsWith("@");
}
