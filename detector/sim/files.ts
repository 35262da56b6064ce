import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  credentialRecordSchema,
  normaliseBusObject,
  type UsageEvent,
  type UsageEventInput,
} from '@lanewatch/ingest/contract';
import { z } from 'zod';
import { labelSchema, type Label } from './label.ts';
import type { SimItem } from './traffic.ts';

/*
 * Traffic and labels as files, a JSON object per line; README.md says what stands in them. Usage events have the form of POST
 * /v1/events, so that recorded traffic of any origin can be scored.
 */

const instant = z.iso.datetime({ offset: true });
const lineSchema = z.union([
  z.object({ at: instant, collector: z.string().default(''), event: z.record(z.string(), z.unknown()) }),
  z.object({ at: instant, record: credentialRecordSchema }),
]);

/** Writes `events.ndjson` and `labels.ndjson` into the directory. */
export async function writeRun(directory: string, items: Iterable<SimItem>, labels: readonly Label[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  const out = createWriteStream(join(directory, 'events.ndjson'));
  for (const item of items) if (!out.write(`${JSON.stringify(lineOf(item))}\n`)) await once(out, 'drain');
  out.end();
  await once(out, 'finish');
  await writeFile(join(directory, 'labels.ndjson'), labels.map((label) => `${JSON.stringify(label)}\n`).join(''));
}

function lineOf(item: SimItem): object {
  const at = new Date(item.atMs).toISOString();
  if (item.kind === 'record') return { at, record: item.record };
  return { at, collector: item.event.collector, event: inputOf(item.event) };
}

/** The event as a collector would send it; what is empty is left out. */
function inputOf(event: UsageEvent): UsageEventInput {
  const { fingerprint, hint, credential_provider: provider, credential_kind: kind } = event;
  const texts = Object.fromEntries(
    (
      [
        'org',
        'user',
        'ip',
        'host',
        'session',
        'repo',
        'branch',
        'provider',
        'model',
        'environment',
        'operation',
        'reporter',
      ] as const
    )
      .filter((name) => event[name] !== '')
      .map((name) => [name, event[name]]),
  );
  return {
    source: event.source,
    id: event.id,
    time: new Date(event.time).toISOString(),
    credential: { fingerprint, hint, provider, kind },
    ...texts,
    agent: { name: event.agent, version: event.agent_version },
    action: event.action,
    outcome: event.outcome,
    status_code: event.status_code,
    tokens: {
      input_uncached: event.tokens_input_uncached,
      cache_read: event.tokens_cache_read,
      cache_write: event.tokens_cache_write,
      output: event.tokens_output,
    },
    cost_usd: (event.cost_nano_usd / 1e9).toFixed(9),
    cost_basis: event.cost_basis,
    latency_ms: event.latency_ms,
  };
}

/**
 * Reads an events file line by line.
 * @throws Error naming file and line of what is no event and no record
 */
export async function* readItems(file: string): AsyncGenerator<SimItem> {
  const handle = await open(file);
  let number = 0;
  let lastMs = -Infinity;
  for await (const text of handle.readLines()) {
    number++;
    if (text.trim() === '') continue;
    const item = itemOf(text, `${file}, line ${number}`);
    if (item.atMs < lastMs) throw new Error(`${file}, line ${number}: at must not be before that of the line above`);
    lastMs = item.atMs;
    yield item;
  }
}

function itemOf(text: string, place: string): SimItem {
  const line = lineSchema.safeParse(jsonOf(text, place));
  if (!line.success)
    throw new Error(
      `${place}: must be {"at", "collector", "event"} or {"at", "record"}: ${z.prettifyError(line.error)}`,
    );
  const atMs = Date.parse(line.data.at);
  if ('record' in line.data) return { kind: 'record', atMs, record: line.data.record };
  const result = normaliseBusObject(line.data.event, {}, { receivedAt: atMs, collector: line.data.collector });
  if (!result.ok)
    throw new Error(`${place}: ${result.errors.map(({ path, message }) => `${path} ${message}`).join('; ')}`);
  return { kind: 'event', atMs, event: result.event };
}

/** Reads a labels file. */
export async function readLabels(file: string): Promise<Label[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return lines.flatMap((text, index) => {
    if (text.trim() === '') return [];
    const label = labelSchema.safeParse(jsonOf(text, `${file}, line ${index + 1}`));
    if (!label.success) throw new Error(`${file}, line ${index + 1}: ${z.prettifyError(label.error)}`);
    return [label.data];
  });
}

function jsonOf(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${place}: is not JSON`);
  }
}
