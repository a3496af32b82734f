/** Something that ends when its caller aborts. */
export interface AbortTarget {
  onAbort(reason: unknown): void;
}

interface Watch {
  readonly targets: Set<AbortTarget>;
  readonly listener: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** Watches a caller's signal. However many targets share it, the signal carries one listener. */
export function watchAbort(signal: AbortSignal, target: AbortTarget): void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    const targets = new Set<AbortTarget>();
    const listener = () => {
      watches.delete(signal);
      for (const each of [...targets]) {
        if (targets.delete(each)) each.onAbort(signal.reason);
      }
    };
    watch = { targets, listener };
    watches.set(signal, watch);
    signal.addEventListener("abort", listener, { once: true });
  }
  watch.targets.add(target);
}

/** Stops watching; the last target to leave takes the listener with it. */
export function unwatchAbort(signal: AbortSignal, target: AbortTarget): void {
  const watch = watches.get(signal);
  if (watch === undefined || !watch.targets.delete(target) || watch.targets.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener("abort", watch.listener);
}
