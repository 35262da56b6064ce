import type { IncomingHttpHeaders } from 'node:http';
import type { FieldError } from '../problem.ts';

/** What a format knows about the request whose body it decodes. */
export interface DecodeContext {
  /** Without parameters, lower case. */
  mediaType: string;
  headers: IncomingHttpHeaders;
  /** Canonical address of the client. Formats use it as the event's `ip` only where the client is the machine that used the key. */
  clientAddress: string;
  /** Epoch milliseconds. */
  receivedAt: number;
}

/** One thing found in a body; `ref` is the sender's name for it, for formats that answer `each`. */
export type Decoded =
  /** An object in the form of `POST /v1/events`, still to be normalised. */
  | { kind: 'event'; input: unknown; ref?: string | undefined }
  /** Valid, but no usage; counted under a name from a closed list. */
  | { kind: 'ignored'; what: string; count: number; ref?: string | undefined }
  /** Not readable; the position in the body is added by the receiver. */
  | { kind: 'rejected'; error: FieldError; ref?: string | undefined };

/**
 * One way of sending events: a route, the media types it takes, and how its body becomes events.
 * A format decodes lazily and throws {@link ApiProblem} only when the body as a whole cannot be read.
 */
export interface HttpFormat {
  /** Label in metrics and logs. */
  name: string;
  path: string;
  /** For the readable API page. */
  summary: string;
  description: string;
  mediaTypes: readonly string[];
  /**
   * `counts`: our own answer; `no_content`: 204 unless something was refused; `each`: 207 with the fate of each thing by its `ref`; the others answer
   * as the OTLP specification says.
   */
  answer: 'counts' | 'no_content' | 'each' | 'otlp_logs' | 'otlp_metrics' | 'otlp_traces';
  /** See {@link NormaliseOptions.invalidFingerprint}: whether the sender can act on the answer. */
  invalidFingerprint: 'reject' | 'drop';
  decode(body: Buffer, context: DecodeContext): Iterable<Decoded>;
}
