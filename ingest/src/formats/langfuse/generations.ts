import { type JsonObject, textIn } from '../json-body.ts';

/** What is kept of traces and generations until a later request completes them. */
export interface Parts {
  /** The generation with what this item says laid over what earlier ones said. */
  generation(id: string, item: JsonObject): JsonObject;
  trace(id: string, item: JsonObject): JsonObject;
  /** What is known of a trace; nothing when it was never seen or is forgotten. */
  traceOf(id: string | undefined): JsonObject;
}

const GENERATION_FIELDS = [
  'traceId',
  'startTime',
  'endTime',
  'model',
  'name',
  'level',
  'environment',
  'usage',
  'usageDetails',
  'costDetails',
];
const TRACE_FIELDS = ['userId', 'sessionId', 'environment', 'name'];
/** Longest text that is kept; every field of an event is shorter. */
const TEXT_CHARS_MAX = 1_024;

/**
 * The SDKs tell of a generation in two items, when it begins and when it ends, and of its user in the trace's; they may come in different
 * requests. The newest are kept, ended ones too, because a body may be sent again; prompts and answers never are. A restart forgets them: such a generation is stored with what its last item says.
 * @param max traces and generations, each
 */
export function createParts(max: number): Parts {
  const generations = new Map<string, JsonObject>();
  const traces = new Map<string, JsonObject>();
  const merge = (known: Map<string, JsonObject>, id: string, item: JsonObject, fields: readonly string[]) => {
    const merged: JsonObject = { ...known.get(id) };
    for (const field of fields) {
      const value = item[field];
      const isKept = typeof value === 'string' ? value.length <= TEXT_CHARS_MAX : value !== undefined && value !== null;
      if (isKept) merged[field] = typeof value === 'object' ? numbersIn(value) : value;
    }
    // Deleted first, so that it counts as the newest.
    known.delete(id);
    known.set(id, merged);
    if (known.size > max) known.delete(known.keys().next().value!);
    return merged;
  };
  return {
    generation: (id, item) => merge(generations, id, item, GENERATION_FIELDS),
    trace: (id, item) => merge(traces, id, item, TRACE_FIELDS),
    traceOf: (id) => (id === undefined ? undefined : traces.get(id)) ?? {},
  };
}

const NUMBERS_MAX = 64;

/** The numbers of an object such as usage, and its unit, so that what is kept has a bound. */
function numbersIn(value: object | null): JsonObject {
  const entries = Object.entries(value ?? {}).slice(0, NUMBERS_MAX);
  const numbers = Object.fromEntries(entries.filter(([key, number]) => key.length <= 64 && typeof number === 'number'));
  const unit = textIn((value ?? {}) as JsonObject, 'unit');
  return unit === undefined || unit.length > 64 ? numbers : { ...numbers, unit };
}
