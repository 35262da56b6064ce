import { describeJsonFault, findJsonFault } from '../../body/json-error.ts';
import { ApiProblem } from '../../problem.ts';
import { invalidJson, isJsonObject, type JsonObject, textOf } from '../json-body.ts';
import { decodeExportRequest, type Signal } from './protobuf.ts';

const PROTOBUF_TYPES = ['application/x-protobuf', 'application/protobuf'] as const;
/** Whether bodies of this type are protobuf: parameters left out, lower case. */
export const isProtobuf = (mediaType: string) => (PROTOBUF_TYPES as readonly string[]).includes(mediaType);
/** What OTLP/HTTP comes as. */
export const MEDIA_TYPES = ['application/json', ...PROTOBUF_TYPES];

/** The export request in its JSON shape. An empty body is an empty request, which protobuf cannot tell apart. */
export function requestOf(signal: Signal, body: Buffer, mediaType: string): JsonObject {
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
export function* listIn(parent: JsonObject, name: string): Generator<JsonObject> {
  const list = parent[name];
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw new ApiProblem('invalid_body', `In an OTLP export request ${name} is an array.`);
  for (const item of list) if (isJsonObject(item)) yield item;
}
