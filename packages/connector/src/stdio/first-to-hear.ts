/**
 * Loads listeners of signals, and puts them before those that are there. One of `process.once` is gone when the next
 * listener is called; whoever asks then who else handles the signal takes it for one that nobody handles.
 */
export function firstToHear<Loaded>(load: () => Loaded): Loaded {
  const before = new Map(signals().map((signal) => [signal, new Set(process.rawListeners(signal))]));
  const loaded = load();
  for (const signal of signals()) {
    for (const listener of process.rawListeners(signal)) {
      if (before.get(signal)?.has(listener)) continue;
      process.off(signal, listener as NodeJS.SignalsListener);
      process.prependListener(signal, listener as NodeJS.SignalsListener);
    }
  }
  return loaded;
}

function signals(): NodeJS.Signals[] {
  return process.eventNames().filter((name) => typeof name === "string" && name.startsWith("SIG")) as NodeJS.Signals[];
}
