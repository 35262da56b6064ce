import { cell } from './memory-bus.ts';
import { type TestServer, TOPIC } from './test-server.ts';

/** A refusal as `application/problem+json`. */
export interface Problem {
  type: string;
  status: number;
  detail: string;
  errors: { index?: number; path: string; message: string }[];
  request_id: string;
}

/** The answer to events that were read. */
export interface Counts {
  accepted: number;
  rejected: number;
  ignored: number;
  dropped_fields: number;
  redacted: number;
  errors: Problem['errors'];
}

/** The least that an event must have, at the present time. */
export const event = (id: string | number, more: Record<string, unknown> = {}) => ({
  source: 's',
  id: String(id),
  time: new Date().toISOString(),
  ...more,
});

export const json = (value: unknown) => JSON.stringify(value);

/** Headers of a body with one event per line. */
export const NDJSON = { 'content-type': 'application/x-ndjson' };

/** Ids of the events that are on the bus, in order. */
export const idsOn = (server: TestServer) => server.bus.rows(TOPIC).map((row) => cell(row, 'id'));
