import protobuf from 'protobufjs/light.js';
import { PROTOBUF_MESSAGES_MAX, tooManyIn } from '../../body/decoded-size.ts';
import { ApiProblem } from '../../problem.ts';
import type { JsonObject } from '../json-body.ts';
import messages from './messages.json' with { type: 'json' };

/**
 * The OTLP messages, cut down to the fields that are read: protobuf skips every other field. Nested values
 * (arrays, maps) are not declared, so their depth costs nothing; data points are only counted, so they stay bytes.
 * Field numbers: opentelemetry-proto 1.x; the three responses have one wire form.
 */
const root = protobuf.Root.fromJSON(messages);

/** Counts what becomes an object, so that a body of empty messages is given up before it has filled the memory. */
class CountingReader extends protobuf.BufferReader {
  private messages = 0;

  count(): void {
    if (++this.messages > PROTOBUF_MESSAGES_MAX) throw tooManyIn('protobuf messages', PROTOBUF_MESSAGES_MAX);
  }

  override bytes(): Uint8Array {
    this.count();
    return super.bytes();
  }
}

type Decode = (reader: protobuf.Reader, length?: number, endGroup?: number, depth?: number) => protobuf.Message;

// Counted by the decoder itself, because only that is sure to see the body as the decoder does.
for (const type of root.nestedArray) {
  if (!(type instanceof protobuf.Type)) continue;
  const decode = type.setup().decode.bind(type) as Decode;
  const counted: Decode = (reader, length, endGroup, depth) => {
    (reader as CountingReader).count();
    return decode(reader, length, endGroup, depth);
  };
  type.decode = counted as typeof type.decode;
}

const REQUESTS = {
  logs: root.lookupType('ExportLogsServiceRequest'),
  metrics: root.lookupType('ExportMetricsServiceRequest'),
  traces: root.lookupType('ExportTraceServiceRequest'),
};
const RESPONSE = root.lookupType('ExportServiceResponse');
const STATUS = root.lookupType('Status');

export type Signal = keyof typeof REQUESTS;

/**
 * Decodes a protobuf export request into the same shape that the JSON form has.
 * @throws ApiProblem invalid_body; body_too_large when it holds more than {@link PROTOBUF_MESSAGES_MAX} messages
 */
export function decodeExportRequest(signal: Signal, body: Buffer): JsonObject {
  try {
    return REQUESTS[signal].decode(new CountingReader(body)) as unknown as JsonObject;
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    throw new ApiProblem('invalid_body', `The body is not a valid OTLP protobuf export request for ${signal}.`, {
      cause: error,
    });
  }
}

/** The export response: empty bytes for full success. */
export function encodeExportResponse(rejected: number, errorMessage: string): Buffer {
  if (rejected === 0) return Buffer.alloc(0);
  return Buffer.from(RESPONSE.encode({ partialSuccess: { rejected, errorMessage } }).finish());
}

/** google.rpc.Status, the body of every refusal. */
export function encodeStatus(code: number, message: string): Buffer {
  return Buffer.from(STATUS.encode({ code, message }).finish());
}
