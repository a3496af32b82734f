/** Something that ends when its caller aborts. */
export interface AbortTarget {
  onAbort(reason: unknown): void;
}

/** Whatever it is given becomes `this`, so that a class may add a private field to an object of another's making. */
class Given {
  constructor(signal: AbortSignal) {
    // biome-ignore lint/correctness/noConstructorReturn: that is what it is for
    return signal as unknown as Given;
  }
}

/**
 * Remembers, in a private field of a signal, who watches it. A weak map would do the same, and cost more than all else
 * about a wait: the garbage collector looks through its entries again and again.
 */
class Watched extends Given {
  #watch: Watch | undefined;

  static get(signal: AbortSignal): Watch | undefined {
    return #watch in signal ? (signal as Watched).#watch : undefined;
  }

  static set(signal: AbortSignal, watch: Watch | undefined): void {
    const watched = #watch in signal ? (signal as Watched) : new Watched(signal);
    watched.#watch = watch;
  }
}

interface Watch {
  /** The one target that most signals have. */
  target: AbortTarget | undefined;
  others: Set<AbortTarget> | undefined;
  readonly listener: () => void;
}

const ONCE = { once: true };

/** Watches a caller's signal. However many targets share it, the signal carries one listener. */
export function watchAbort(signal: AbortSignal, target: AbortTarget): void {
  const known = Watched.get(signal);
  if (known !== undefined) {
    if (known.target === target) return;
    known.others ??= new Set();
    known.others.add(target);
    return;
  }
  const watch: Watch = { target, others: undefined, listener: () => onAbort(signal, watch) };
  Watched.set(signal, watch);
  signal.addEventListener("abort", watch.listener, ONCE);
}

/** Stops watching; the last target to leave takes the listener with it. */
export function unwatchAbort(signal: AbortSignal, target: AbortTarget): void {
  const watch = Watched.get(signal);
  if (watch === undefined) return;
  if (watch.target === target) watch.target = undefined;
  else if (watch.others?.delete(target) !== true) return;
  if (watch.target !== undefined || (watch.others !== undefined && watch.others.size > 0)) return;
  Watched.set(signal, undefined);
  signal.removeEventListener("abort", watch.listener);
}

/** Who leaves meanwhile is not told. */
function onAbort(signal: AbortSignal, watch: Watch): void {
  const { reason } = signal;
  const { target, others } = watch;
  watch.target = undefined;
  target?.onAbort(reason);
  if (others !== undefined) {
    for (const each of [...others]) {
      if (others.delete(each)) each.onAbort(reason);
    }
  }
  Watched.set(signal, undefined);
}
