import { tooManyIn } from './body/decoded-size.ts';
import { normaliseUsageEvent } from './normalise/normalise.ts';
import type { UsageEvent } from '../contract/index.ts';
import type { DecodeContext, HttpFormat } from './formats/format.ts';
import type { FieldError } from './problem.ts';

/** Errors listed in an answer at most; `rejected` still counts all. */
const ERRORS_LISTED_MAX = 100;

/** Events of one body at most, with those that are refused or ignored; they go to the bus together. */
export const EVENTS_PER_BODY_MAX = 100_000;

/** Values handled between two looks at other requests. */
const VALUES_PER_TURN = 500;

/** What a body held. */
export interface Received {
  events: UsageEvent[];
  rejected: number;
  /** Why, for the first ones. */
  errors: FieldError[];
  /** Number of errors, with those that are not listed. */
  faults: number;
  ignored: Map<string, number>;
  droppedFields: number;
  redactions: number;
  /** What became of each thing that the sender named, in order; only for formats that answer `each`. */
  fates: Fate[];
}

/** The sender's name for a thing, and the first fault of a refused one. */
export interface Fate {
  ref: string;
  error: FieldError | null;
}

/**
 * Decodes and normalises a body. A large one gives way to other requests from time to time.
 * @throws ApiProblem when the body as a whole cannot be read, or holds more than {@link EVENTS_PER_BODY_MAX} events
 */
export async function receive(
  format: HttpFormat,
  body: Buffer,
  context: DecodeContext,
  collector: string,
): Promise<Received> {
  const received: Received = {
    events: [],
    rejected: 0,
    errors: [],
    faults: 0,
    ignored: new Map(),
    droppedFields: 0,
    redactions: 0,
    fates: [],
  };
  const options = { receivedAt: context.receivedAt, collector, invalidFingerprint: format.invalidFingerprint };
  let index = 0;
  for (const decoded of format.decode(body, context)) {
    if (index === EVENTS_PER_BODY_MAX) throw tooManyIn('events', EVENTS_PER_BODY_MAX);
    let error: FieldError | null = null;
    if (decoded.kind === 'event') {
      const result = normaliseUsageEvent(decoded.input, options);
      if (result.ok) {
        received.events.push(result.event);
        received.droppedFields += result.droppedFields;
        received.redactions += result.redactions;
      } else {
        error = result.errors[0] ?? null;
        reject(received, index, result.errors);
      }
    } else if (decoded.kind === 'rejected') {
      error = decoded.error;
      reject(received, index, [decoded.error]);
    } else if (decoded.count > 0) {
      received.ignored.set(decoded.what, (received.ignored.get(decoded.what) ?? 0) + decoded.count);
    }
    if (format.answer === 'each') received.fates.push({ ref: decoded.ref ?? '', error });
    index++;
    if (index % VALUES_PER_TURN === 0) await new Promise(setImmediate);
  }
  return received;
}

function reject(received: Received, index: number, errors: FieldError[]): void {
  received.rejected++;
  received.faults += errors.length;
  for (const error of errors) {
    if (received.errors.length >= ERRORS_LISTED_MAX) return;
    received.errors.push({ index, path: error.path, message: error.message });
  }
}
