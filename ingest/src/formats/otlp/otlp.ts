import { ApiProblem } from '../../problem.ts';
import { type Decoded, type DecodeContext, type HttpFormat } from '../format.ts';
import { findJsonFault, describeJsonFault } from '../../body/json-error.ts';
import { invalidJson, isJsonObject, type JsonObject, objectIn, textOf } from '../json-body.ts';
import { type Attributes, millisecondsOf, readAttributes, scalarOf, textAttribute } from './attributes.ts';
import type { LogRecord, LogRecordMapper } from './log-record.ts';
import { decodeExportRequest, type Signal } from './protobuf.ts';

const PROTOBUF_TYPES = ['application/x-protobuf', 'application/protobuf'] as const;
/** Whether bodies of this type are protobuf: parameters left out, lower case. */
export const isProtobuf = (mediaType: string) => (PROTOBUF_TYPES as readonly string[]).includes(mediaType);
const MEDIA_TYPES = ['application/json', ...PROTOBUF_TYPES];

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
 * OTLP/HTTP metrics and traces: accepted and counted, not stored. The clients that send them report the same
 * requests as logs, so that storing these too would count each request twice.
 */
export const otlpMetricsFormat: HttpFormat = {
  name: 'otlp-metrics',
  path: '/v1/metrics',
  summary: 'OTLP/HTTP metrics',
  description: 'Accepted and counted. Usage is taken from logs, which report the same requests one by one.',
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

export const otlpTracesFormat: HttpFormat = {
  name: 'otlp-traces',
  path: '/v1/traces',
  summary: 'OTLP/HTTP traces',
  description: 'Accepted and counted. Usage is taken from logs, which report the same requests one by one.',
  mediaTypes: MEDIA_TYPES,
  answer: 'otlp_traces',
  invalidFingerprint: 'drop',
  decode(body, { mediaType }) {
    let spans = 0;
    for (const resource of listIn(requestOf('traces', body, mediaType), 'resourceSpans')) {
      for (const scope of listIn(resource, 'scopeSpans')) {
        if (Array.isArray(scope.spans)) spans += scope.spans.length;
      }
    }
    return [{ kind: 'ignored', what: 'span', count: spans }];
  },
};

/** The export request in its JSON shape. An empty body is an empty request, which protobuf cannot tell apart. */
function requestOf(signal: Signal, body: Buffer, mediaType: string): JsonObject {
  if (isProtobuf(mediaType)) return decodeExportRequest(signal, body);
  const text = textOf(body);
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    const fault = findJsonFault(text);
    throw invalidJson(fault === null ? 'not valid JSON' : describeJsonFault(fault));
  }
  if (!isJsonObject(request)) throw new ApiProblem('invalid_body', 'An OTLP export request is a JSON object.');
  refuseProtobufNames(signal, request);
  return request;
}

const LIST_OF_SIGNAL = { logs: 'resourceLogs', metrics: 'resourceMetrics', traces: 'resourceSpans' } as const;

/**
 * Refuses a request whose keys are the names of the .proto files. As unknown fields they would be passed over, and the sender would be
 * told that all is well while nothing of what it sends is ever seen.
 */
function refuseProtobufNames(signal: Signal, request: JsonObject): void {
  const name = LIST_OF_SIGNAL[signal];
  const protobufName = name.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`);
  if (Object.hasOwn(request, name) || !Object.hasOwn(request, protobufName)) return;
  const detail = `Keys of OTLP in JSON are in lowerCamelCase: send ${name} and so on, not ${protobufName}.`;
  throw new ApiProblem('invalid_body', detail);
}

/** The objects of a repeated field. Anything else in it is passed over, as unknown fields are. */
function* listIn(parent: JsonObject, name: string): Generator<JsonObject> {
  const list = parent[name];
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw new ApiProblem('invalid_body', `In an OTLP export request ${name} is an array.`);
  for (const item of list) if (isJsonObject(item)) yield item;
}

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
    time: millisecondsOf(record.timeUnixNano) ?? millisecondsOf(record.observedTimeUnixNano),
  };
}
