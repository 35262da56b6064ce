import { type Decoded, type DecodeContext, type HttpFormat } from '../format.ts';
import { type JsonObject, objectIn } from '../json-body.ts';
import { type Attributes, idOf, millisecondsOf, readAttributes, scalarOf, textAttribute } from './attributes.ts';
import type { LogRecord, LogRecordMapper } from './log-record.ts';
import { listIn, MEDIA_TYPES, requestOf } from './request.ts';

/**
 * OTLP/HTTP logs: each record goes to the first client mapper that claims it; a record of no known client is valid, counted and
 * not stored.
 */
export function otlpLogsFormat(mappers: readonly LogRecordMapper[]): HttpFormat {
  return {
    name: 'otlp-logs',
    path: '/v1/logs',
    summary: 'OTLP/HTTP logs',
    description: `Usage is taken from the records of: ${mappers.map(({ name }) => name).join(', ')}. Others are accepted and counted.`,
    mediaTypes: MEDIA_TYPES,
    answer: 'otlp_logs',
    invalidFingerprint: 'drop',
    decode: (body, context) => logRecordsOf(requestOf('logs', body, context.mediaType), mappers, context),
  };
}

/**
 * OTLP/HTTP metrics: accepted and counted, not stored. They are sums without the session, of requests that the same clients report
 * one by one as logs or spans, so that storing these too would count each request twice.
 */
export const otlpMetricsFormat: HttpFormat = {
  name: 'otlp-metrics',
  path: '/v1/metrics',
  summary: 'OTLP/HTTP metrics',
  description: 'Accepted and counted. Usage is taken from logs and spans, which report the same requests one by one.',
  mediaTypes: MEDIA_TYPES,
  answer: 'otlp_metrics',
  invalidFingerprint: 'drop',
  decode(body, { mediaType }) {
    let points = 0;
    for (const resource of listIn(requestOf('metrics', body, mediaType), 'resourceMetrics')) {
      for (const scope of listIn(resource, 'scopeMetrics')) {
        for (const metric of listIn(scope, 'metrics')) {
          for (const kind of ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']) {
            const { dataPoints } = objectIn(metric, kind);
            if (Array.isArray(dataPoints)) points += dataPoints.length;
          }
        }
      }
    }
    return [{ kind: 'ignored', what: 'metric_data_point', count: points }];
  },
};

function* logRecordsOf(
  request: JsonObject,
  mappers: readonly LogRecordMapper[],
  context: DecodeContext,
): Generator<Decoded> {
  for (const resourceLogs of listIn(request, 'resourceLogs')) {
    const resource = readAttributes(objectIn(resourceLogs, 'resource').attributes);
    for (const scopeLogs of listIn(resourceLogs, 'scopeLogs')) {
      const scopeName = objectIn(scopeLogs, 'scope').name;
      for (const record of listIn(scopeLogs, 'logRecords')) {
        const view = viewOf(record, resource, typeof scopeName === 'string' ? scopeName : '');
        const mapper = mappers.find((candidate) => candidate.claims(view));
        yield mapper === undefined
          ? { kind: 'ignored', what: 'other_log_record', count: 1 }
          : mapper.map(view, context.clientAddress);
      }
    }
  }
}

function viewOf(record: JsonObject, resource: Attributes, scopeName: string): LogRecord {
  const attributes = readAttributes(record.attributes, resource);
  const body = scalarOf(record.body);
  return {
    resource,
    scopeName,
    bodyText: typeof body === 'string' ? body : '',
    eventName:
      textAttribute(attributes, 'event.name') ?? (typeof record.eventName === 'string' ? record.eventName : ''),
    attributes,
    traceId: idOf(record.traceId),
    spanId: idOf(record.spanId),
    time: millisecondsOf(record.timeUnixNano) ?? millisecondsOf(record.observedTimeUnixNano),
  };
}
