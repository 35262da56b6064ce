import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Everything `/metrics` tells. Label values come from closed lists or from the registry, never from senders. */
export interface Metrics {
  registry: Registry;
  events: Counter<'collector' | 'format' | 'result'>;
  ignored: Counter<'format' | 'kind'>;
  redactions: Counter<'collector'>;
  droppedFields: Counter<'collector'>;
  refusals: Counter<'code'>;
  requestSeconds: Histogram<'format'>;
  batchRows: Histogram<'to'>;
  batchSeconds: Histogram<'to'>;
  faults: Counter<'what'>;
  proxied: Counter<'provider' | 'result'>;
}

export interface MetricSources {
  spoolBytes(): number;
  refusedBytes(): number;
  inflightBytes(): number;
  credentials(): number;
}

/** One registry per process (and per test). */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge('lanewatch_ingest_spool_bytes', 'Bytes waiting on disk for the bus.', sources.spoolBytes);
  gauge(
    'lanewatch_ingest_refused_bytes',
    'Bytes of events that the bus refuses for good, put aside until the next start.',
    sources.refusedBytes,
  );
  gauge('lanewatch_ingest_inflight_bytes', 'Body bytes of unanswered requests.', sources.inflightBytes);
  gauge('lanewatch_ingest_credentials', 'Managed credentials known from the registry.', sources.credentials);
  return {
    registry,
    events: new Counter({
      name: 'lanewatch_ingest_events_total',
      help: 'Events by collector, format and result (accepted, rejected).',
      labelNames: ['collector', 'format', 'result'],
      registers,
    }),
    ignored: new Counter({
      name: 'lanewatch_ingest_ignored_records_total',
      help: 'Valid telemetry records that are no usage.',
      labelNames: ['format', 'kind'],
      registers,
    }),
    redactions: new Counter({
      name: 'lanewatch_ingest_redactions_total',
      help: 'Secrets replaced by their hints.',
      labelNames: ['collector'],
      registers,
    }),
    proxied: new Counter({
      name: 'lanewatch_ingest_proxied_requests_total',
      help: 'Requests through the observing proxy by provider and answer (2xx to 5xx, left by the client, or the policy that refused it).',
      labelNames: ['provider', 'result'],
      registers,
    }),
    droppedFields: new Counter({
      name: 'lanewatch_ingest_dropped_fields_total',
      help: 'Fields of events that the contract does not know.',
      labelNames: ['collector'],
      registers,
    }),
    refusals: new Counter({
      name: 'lanewatch_ingest_refused_requests_total',
      help: 'Requests refused, by problem code.',
      labelNames: ['code'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'lanewatch_ingest_request_seconds',
      help: 'From the end of the headers until the answer is sent or the sender is gone; refusals too.',
      labelNames: ['format'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    batchRows: new Histogram({
      name: 'lanewatch_ingest_batch_rows',
      help: 'Events written together.',
      labelNames: ['to'],
      buckets: [1, 10, 100, 1_000, 10_000],
      registers,
    }),
    batchSeconds: new Histogram({
      name: 'lanewatch_ingest_batch_seconds',
      help: 'Time until a batch was durable.',
      labelNames: ['to'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    faults: new Counter({
      name: 'lanewatch_ingest_faults_total',
      help: 'Faults that ingest recovers from by itself.',
      labelNames: ['what'],
      registers,
    }),
  };
}
