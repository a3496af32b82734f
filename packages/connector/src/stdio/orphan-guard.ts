import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";

/** How long the groups may take over SIGTERM once we are gone, in seconds. */
const GRACE_SECONDS = 2;

/**
 * Reads `+123` and `-123`, the groups to be ended when the input ends, which it does however our process ends. It lives in
 * a group of its own, and ends by itself.
 */
const SCRIPT = `
trap "" HUP INT TERM
groups=" "
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="\${groups%% "$group" *} \${groups#* "$group" }" ;; esac ;;
  esac
done
for group in $groups; do kill -s TERM -- "-$group" 2>/dev/null; done
left=${GRACE_SECONDS * 10}
while [ $left -gt 0 ]; do
  alive=
  for group in $groups; do kill -s 0 -- "-$group" 2>/dev/null && alive=1; done
  [ -z "$alive" ] && exit
  sleep 0.1 2>/dev/null || sleep 1
  left=$((left - 1))
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

const groups = new Set<number>();
let guard: { readonly child: ChildProcess; readonly stdin: Writable } | undefined;

/**
 * Has a process group ended by a small process of our own should we die by SIGKILL, where nothing of ours can run. It
 * does its best: where it cannot be started, nothing is lost but this. Not for Windows.
 */
export function guardGroup(groupId: number): void {
  groups.add(groupId);
  if (guard === undefined) start();
  else guard.stdin.write(`+${groupId}\n`);
}

/** Forgets a group; the guard ends with the last one. */
export function unguardGroup(groupId: number): void {
  if (!groups.delete(groupId) || guard === undefined) return;
  guard.stdin.write(`-${groupId}\n`);
  if (groups.size > 0) return;
  guard.stdin.end();
  guard = undefined;
}

function start(): void {
  let child: ChildProcess;
  try {
    child = spawn("/bin/sh", ["-c", SCRIPT], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
    });
  } catch {
    return;
  }
  // Somebody may have killed it; the next child brings another one.
  const forget = (): void => {
    if (guard?.child === child) guard = undefined;
  };
  child.on("error", forget);
  child.on("exit", forget);
  child.unref();
  const { stdin } = child;
  // Without a descriptor left for it, there is no pipe at all.
  if (!stdin) return;
  guard = { child, stdin };
  stdin.on("error", forget);
  if ("unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  for (const groupId of groups) stdin.write(`+${groupId}\n`);
}
