import { type Attributes, type Meter, type Observable, ROOT_CONTEXT, ValueType } from "@opentelemetry/api";
import { METRICS, type MetricDefinition } from "./names.ts";

/** Observes one value of a gauge. */
export type Observe = (definition: MetricDefinition, value: number, attributes: Attributes) => void;

/** Where measurements go. Attributes are the same object for the same series. */
export interface MetricSink {
  /** Whether recording costs so little that it need not be put off. */
  readonly isQuick: boolean;
  /** Returns what records a duration in seconds. */
  histogram(definition: MetricDefinition): (seconds: number, attributes: Attributes) => void;
  /** Returns what counts one more. */
  counter(definition: MetricDefinition): (attributes: Attributes) => void;
  /** Sets what observes the gauges, each time metrics are collected. */
  observe(callback: (observe: Observe) => void): void;
}

/** Sends measurements to a meter of OpenTelemetry. */
export function meterSink(meter: Meter): MetricSink {
  return {
    isQuick: false,
    histogram({ name, unit, description, boundaries = [] }) {
      const advice = { explicitBucketBoundaries: [...boundaries] };
      const histogram = meter.createHistogram(name, { unit, description, advice });
      // Recorded later, when some other context is the active one.
      return (seconds, attributes) => histogram.record(seconds, attributes, ROOT_CONTEXT);
    },
    counter({ name, unit, description }) {
      const counter = meter.createCounter(name, { unit, description, valueType: ValueType.INT });
      return (attributes) => counter.add(1, attributes);
    },
    observe(callback) {
      const observables = new Map<MetricDefinition, Observable>();
      for (const definition of Object.values<MetricDefinition>(METRICS)) {
        if (definition.kind !== "gauge") continue;
        const { name, unit, description } = definition;
        const options = { unit, description, valueType: ValueType.INT };
        observables.set(definition, meter.createObservableUpDownCounter(name, options));
      }
      meter.addBatchObservableCallback(
        (result) =>
          callback((definition, value, attributes) => {
            const observable = observables.get(definition);
            if (observable !== undefined) result.observe(observable, value, attributes);
          }),
        [...observables.values()],
      );
    },
  };
}
