import type { JsonObject } from '../json-body.ts';
import type { Attributes } from './attributes.ts';

/** A span together with where it came from, as mappers see it. */
export interface Span {
  resource: Attributes;
  scopeName: string;
  scopeVersion: string;
  name: string;
  /** Lower-case hex; '' when there is none, and for the others, too. */
  traceId: string;
  spanId: string;
  parentSpanId: string;
  /** The span's own attributes over those of the resource. */
  attributes: Attributes;
  /** Epoch milliseconds; null when it is not set. */
  start: number | null;
  end: number | null;
  /** Its status is an error. */
  isError: boolean;
}

/** What a span is to its ancestors: a request of a model, a limit across which spans no longer tell of the same request, or neither. */
export type SpanRole = 'request' | 'limit' | 'other';

/** Turns spans into events. */
export interface SpanMapper {
  /** Label in metrics. */
  name: string;
  roleOf(span: Span): SpanRole;
  /** Whether a request says what it came to: tokens, or how it failed. */
  isTelling(span: Span): boolean;
  /** The event of a request. */
  map(span: Span, clientAddress: string): JsonObject;
}
