import protobuf from 'protobufjs/light.js';
import { ApiProblem } from '../../problem.ts';
import type { JsonObject } from '../json-body.ts';
import messages from './messages.json' with { type: 'json' };

/**
 * The OTLP messages, cut down to the fields that are read: protobuf skips every other field. Nested values
 * (arrays, maps) are not declared, so their depth costs nothing; data points and spans are only counted, so they stay bytes.
 * Field numbers: opentelemetry-proto 1.x; the three responses have one wire form.
 */
const root = protobuf.Root.fromJSON(messages);

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
 * @throws ApiProblem invalid_body
 */
export function decodeExportRequest(signal: Signal, body: Buffer): JsonObject {
  try {
    return REQUESTS[signal].decode(body) as unknown as JsonObject;
  } catch (error) {
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
