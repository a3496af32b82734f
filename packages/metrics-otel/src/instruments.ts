import type { Attributes, MeterProvider } from "@opentelemetry/api";
import { createNoopMeter, metrics } from "@opentelemetry/api";
import { BoundedNames } from "./bounded-names.ts";
import type { MeasurementQueue, RecordValue } from "./measurement-queue.ts";
import { type MetricSink, meterSink } from "./metric-sink.ts";
import { METRICS } from "./names.ts";
import type { ServerSeries } from "./server-series.ts";
import { VERSION } from "./version.ts";

/** Names of methods and kinds of errors that become attributes; servers and callers may invent more. */
const MAX_METHODS = 50;
const MAX_ERROR_TYPES = 100;
/** Collections through which a server whose pools are closed is told with zeros, so that no exporter keeps its last values. */
const FAREWELLS = 5;

type Count = (attributes: Attributes) => void;

/** All instruments of one provider, made once, and the servers whose gauges it observes. */
export class Instruments {
  readonly operationDuration: RecordValue;
  readonly sessionDuration: RecordValue;
  readonly createTime: RecordValue;
  readonly waitTime: RecordValue;
  readonly useTime: RecordValue;
  readonly healthCheckDuration: RecordValue;
  readonly timeouts: Count;
  readonly closures: Count;
  readonly circuitTransitions: Count;
  readonly circuitRejections: Count;
  readonly retries: Count;
  readonly methods: BoundedNames = new BoundedNames(MAX_METHODS);
  readonly errorTypes: BoundedNames = new BoundedNames(MAX_ERROR_TYPES);
  /** Whether values are recorded at once, rather than from a queue. */
  readonly isQuick: boolean;
  /** Measurements that are not recorded yet. */
  readonly queues: Set<MeasurementQueue> = new Set();
  readonly #servers = new Map<string, ServerSeries>();

  constructor(sink: MetricSink) {
    this.isQuick = sink.isQuick;
    this.operationDuration = sink.histogram(METRICS.operationDuration);
    this.sessionDuration = sink.histogram(METRICS.sessionDuration);
    this.createTime = sink.histogram(METRICS.createTime);
    this.waitTime = sink.histogram(METRICS.waitTime);
    this.useTime = sink.histogram(METRICS.useTime);
    this.healthCheckDuration = sink.histogram(METRICS.healthCheckDuration);
    this.timeouts = sink.counter(METRICS.timeouts);
    this.closures = sink.counter(METRICS.closures);
    this.circuitTransitions = sink.counter(METRICS.circuitTransitions);
    this.circuitRejections = sink.counter(METRICS.circuitRejections);
    this.retries = sink.counter(METRICS.retries);
    sink.observe((observe) => {
      for (const queue of this.queues) queue.flush();
      for (const [key, server] of this.#servers) {
        server.observe(observe);
        if (server.farewells >= FAREWELLS) this.#servers.delete(key);
      }
    });
  }

  /** Returns the series of a server; pools with the same attributes share them. */
  server(attributes: Attributes, make: () => ServerSeries): ServerSeries {
    const key = JSON.stringify(attributes);
    let server = this.#servers.get(key);
    if (server === undefined) {
      server = make();
      this.#servers.set(key, server);
    }
    return server;
  }
}

const made = new WeakMap<MeterProvider, Instruments>();

/**
 * Returns the instruments of a provider, or of the global one. `undefined` when nothing would be recorded: there is no
 * global provider yet, or it is one that does nothing.
 */
export function instrumentsOf(provider: MeterProvider | undefined): Instruments | undefined {
  // The global provider is no proxy: a meter taken from it before an SDK has started does nothing for ever.
  const wanted = provider ?? metrics.getMeterProvider();
  let instruments = made.get(wanted);
  if (instruments === undefined) {
    const meter = wanted.getMeter("@mcp-pool/metrics-otel", VERSION);
    if (meter === createNoopMeter()) return undefined;
    instruments = new Instruments(meterSink(meter));
    made.set(wanted, instruments);
  }
  return instruments;
}
