import type { Attributes } from "@opentelemetry/api";
import type { MetricSink, Observe } from "../metric-sink.ts";
import type { MetricDefinition } from "../names.ts";

/** The durations of one series, in the buckets that the definition advises. */
export interface StoredHistogram {
  count: number;
  sum: number;
  min: number;
  max: number;
  readonly counts: number[];
}

/** One series: its attributes, and a number or durations. */
export interface StoredPoint {
  readonly attributes: Attributes;
  value: number;
  readonly histogram: StoredHistogram | undefined;
}

/** One metric with all its series. */
export interface StoredMetric {
  readonly definition: MetricDefinition;
  readonly points: readonly StoredPoint[];
}

/** Keeps series in memory, cumulatively. Recording finds a series by its attributes' identity, so that it costs next to nothing. */
export class SeriesStore implements MetricSink {
  readonly isQuick = true;
  readonly #metrics = new Map<MetricDefinition, Series>();
  #observe: (observe: Observe) => void = () => {};

  histogram(definition: MetricDefinition): (seconds: number, attributes: Attributes) => void {
    const { boundaries = [] } = definition;
    const series = this.#add(definition);
    return (seconds, attributes) => {
      const { histogram } = series.of(attributes);
      if (histogram === undefined) return;
      histogram.count++;
      histogram.sum += seconds;
      if (seconds < histogram.min) histogram.min = seconds;
      if (seconds > histogram.max) histogram.max = seconds;
      let bucket = 0;
      while (bucket < boundaries.length && seconds > (boundaries[bucket] ?? Infinity)) bucket++;
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    };
  }

  counter(definition: MetricDefinition): (attributes: Attributes) => void {
    const series = this.#add(definition);
    return (attributes) => {
      series.of(attributes).value++;
    };
  }

  observe(callback: (observe: Observe) => void): void {
    this.#observe = callback;
  }

  /** Reads all series, gauges as they are now. */
  collect(): readonly StoredMetric[] {
    const gauges = new Map<MetricDefinition, StoredPoint[]>();
    this.#observe((definition, value, attributes) => {
      const points = gauges.get(definition) ?? [];
      points.push({ attributes, value, histogram: undefined });
      gauges.set(definition, points);
    });
    const stored = [...this.#metrics].map(([definition, series]) => ({ definition, points: series.points }));
    return [...stored, ...[...gauges].map(([definition, points]) => ({ definition, points }))];
  }

  #add(definition: MetricDefinition): Series {
    const series = new Series(definition);
    this.#metrics.set(definition, series);
    return series;
  }
}

/** The series of one metric. Equal attributes are one series, also in different objects. */
class Series {
  readonly #byObject = new WeakMap<Attributes, StoredPoint>();
  readonly #byKey = new Map<string, StoredPoint>();
  readonly #definition: MetricDefinition;
  #latest: StoredPoint | undefined;
  #latestAttributes: Attributes | undefined;

  constructor(definition: MetricDefinition) {
    this.#definition = definition;
  }

  get points(): readonly StoredPoint[] {
    return [...this.#byKey.values()];
  }

  of(attributes: Attributes): StoredPoint {
    // Mostly it is the same again.
    if (this.#latest !== undefined && this.#latestAttributes === attributes) return this.#latest;
    this.#latest = this.#find(attributes);
    this.#latestAttributes = attributes;
    return this.#latest;
  }

  #find(attributes: Attributes): StoredPoint {
    let point = this.#byObject.get(attributes);
    if (point === undefined) {
      const key = JSON.stringify(Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)));
      point = this.#byKey.get(key) ?? this.#create(key, attributes);
      this.#byObject.set(attributes, point);
    }
    return point;
  }

  #create(key: string, attributes: Attributes): StoredPoint {
    const { kind, boundaries = [] } = this.#definition;
    const counts = Array.from({ length: boundaries.length + 1 }, () => 0);
    const histogram = kind === "histogram" ? { count: 0, sum: 0, min: Infinity, max: -Infinity, counts } : undefined;
    const point: StoredPoint = { attributes, value: 0, histogram };
    this.#byKey.set(key, point);
    return point;
  }
}
