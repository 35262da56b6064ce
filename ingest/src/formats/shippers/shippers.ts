import { ofCloudEvent } from '../cloudevents/cloudevents.ts';
import { firstText, isoTime } from '../access-log.ts';
import type { Decoded, DecodeContext, HttpFormat } from '../format.ts';
import { isJsonObject, type JsonObject } from '../json-body.ts';
import { recordFormat, type RecordMapper } from '../record.ts';

/**
 * Records that a log shipper brings (Fluent Bit, Vector): each is told by what is in it. The line that an application wrote stands in one field
 * of the shipper's record, or its fields beside the shipper's own. What is no record of ours is counted, because a refusal would
 * make the shipper send the whole batch again.
 */
export function shippersFormat(mappers: readonly RecordMapper[]): HttpFormat {
  return recordFormat(
    { name: 'records', claims: () => true, map: (record, context) => mapped(record, mappers, context) },
    {
      path: '/v1/records',
      summary: 'Records of log shippers (Fluent Bit, Vector)',
      description: `JSON in any framing. Each record is told by its fields: our event, CloudEvents, ${mappers.map(({ name }) => name).join(', ')}. Others are counted.`,
    },
  );
}

function* mapped(shipped: JsonObject, mappers: readonly RecordMapper[], context: DecodeContext): Generator<Decoded> {
  const record = lineIn(shipped) ?? shipped;
  const mapper = mappers.find((candidate) => candidate.claims(record));
  if (mapper !== undefined) yield* mapper.map(record, context);
  else if (Object.hasOwn(record, 'specversion')) yield ofCloudEvent(record, context);
  else if (isOurs(record)) yield { kind: 'event', input: { ...record, time: record.time ?? timeOf(shipped) } };
  else yield { kind: 'ignored', what: 'other_record', count: 1 };
}

/** Fields in which shippers put the line that they read: Fluent Bit and Docker, Vector, journald. */
const LINE_FIELDS = ['log', 'message', 'MESSAGE'];

/** The object in the line that was read, if it is one. */
function lineIn(record: JsonObject): JsonObject | null {
  const line = firstText(record, ...LINE_FIELDS)?.trim();
  if (line === undefined || !line.startsWith('{')) return null;
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isOurs = ({ source, id }: JsonObject) => typeof source === 'string' && typeof id === 'string';

/** Fluent Bit counts seconds in `date` unless told otherwise, Vector writes `timestamp`. */
function timeOf({ date, timestamp }: JsonObject): unknown {
  return typeof date === 'number' ? isoTime(date * 1000) : (date ?? timestamp);
}
