import type { Decoded, HttpFormat } from '../format.ts';
import { type JsonObject, objectIn, textIn } from '../json-body.ts';
import { type Attributes, idOf, millisecondsOf, readAttributes } from './attributes.ts';
import { listIn, MEDIA_TYPES, requestOf } from './request.ts';
import type { Span, SpanMapper } from './span.ts';

/** Spans between a request and one that repeats it, at most. Frameworks put two or three in between. */
const ANCESTORS_MAX = 32;

/**
 * OTLP/HTTP traces: spans of requests become events, each request once. Of spans inside one another that tell of the same request
 * the innermost counts that says what it came to; all others are valid, counted and not stored. That holds for spans of one body, which exporters
 * fill in the order in which spans end: those of one request end together.
 */
export function otlpTracesFormat(mapper: SpanMapper): HttpFormat {
  return {
    name: 'otlp-traces',
    path: '/v1/traces',
    summary: 'OTLP/HTTP traces',
    description:
      'Usage is taken from spans of requests by the GenAI conventions in their current and older names, OpenInference, Traceloop and ' +
      'the Vercel AI SDK. Spans of agents that report the same requests as logs are accepted and counted.',
    mediaTypes: MEDIA_TYPES,
    answer: 'otlp_traces',
    invalidFingerprint: 'drop',
    decode: (body, { mediaType, clientAddress }) =>
      spansOf(requestOf('traces', body, mediaType), mapper, clientAddress),
  };
}

function* spansOf(request: JsonObject, mapper: SpanMapper, clientAddress: string): Generator<Decoded> {
  /** In the order of the body; null for a span that is no request. */
  const spans: (Span | null)[] = [];
  /** Parents of spans that are no limit, by trace and span. */
  const parents = new Map<string, string>();
  for (const span of viewsOf(request)) {
    const role = mapper.roleOf(span);
    spans.push(role === 'request' ? span : null);
    if (role !== 'limit' && span.parentSpanId !== '') parents.set(keyOf(span), span.traceId + span.parentSpanId);
  }
  const repeated = repeatedAmong(
    spans.filter((span) => span !== null),
    parents,
    mapper,
  );
  for (const span of spans) {
    if (span === null) yield { kind: 'ignored', what: 'span', count: 1 };
    else if (repeated.has(keyOf(span))) yield { kind: 'ignored', what: 'repeated_request', count: 1 };
    else yield { kind: 'event', input: mapper.map(span, clientAddress) };
  }
}

/** Keys of the spans whose request another one tells of better. */
function repeatedAmong(requests: readonly Span[], parents: ReadonlyMap<string, string>, mapper: SpanMapper) {
  const telling = new Set(requests.filter((span) => mapper.isTelling(span)).map(keyOf));
  const repeated = new Set<string>();
  for (const span of requests) {
    for (const ancestor of ancestorsOf(span, parents)) {
      if (telling.has(keyOf(span))) repeated.add(ancestor);
      else if (telling.has(ancestor)) repeated.add(keyOf(span));
    }
  }
  return repeated;
}

const keyOf = ({ traceId, spanId }: Span) => traceId + spanId;

function* ancestorsOf(span: Span, parents: ReadonlyMap<string, string>): Generator<string> {
  let key = parents.get(keyOf(span));
  for (let steps = 0; key !== undefined && key !== keyOf(span) && steps < ANCESTORS_MAX; steps++) {
    yield key;
    key = parents.get(key);
  }
}

function* viewsOf(request: JsonObject): Generator<Span> {
  for (const resourceSpans of listIn(request, 'resourceSpans')) {
    const resource = readAttributes(objectIn(resourceSpans, 'resource').attributes);
    for (const scopeSpans of listIn(resourceSpans, 'scopeSpans')) {
      const scope = objectIn(scopeSpans, 'scope');
      for (const span of listIn(scopeSpans, 'spans')) yield viewOf(span, resource, scope);
    }
  }
}

function viewOf(span: JsonObject, resource: Attributes, scope: JsonObject): Span {
  const { code } = objectIn(span, 'status');
  return {
    resource,
    scopeName: textIn(scope, 'name') ?? '',
    scopeVersion: textIn(scope, 'version') ?? '',
    name: textIn(span, 'name') ?? '',
    traceId: idOf(span.traceId),
    spanId: idOf(span.spanId),
    parentSpanId: idOf(span.parentSpanId),
    attributes: readAttributes(span.attributes, resource),
    start: millisecondsOf(span.startTimeUnixNano),
    end: millisecondsOf(span.endTimeUnixNano),
    isError: code === 2 || code === 'STATUS_CODE_ERROR',
  };
}
