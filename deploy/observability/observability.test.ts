import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics as detectorMetrics } from '../../detector/src/metrics.ts';
import { createMetrics as ingestMetrics } from '../../ingest/src/metrics.ts';
import { installMetrics } from '../../query-api/src/http/metrics.ts';

const read = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8');

interface Alert {
  alert: string;
  expr: string;
  annotations: { runbook: string };
}
const alerts = (parse(read('alerts.yaml')) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules);
const { panels } = JSON.parse(read('lanewatch.json')) as { panels: { title: string; targets: { expr: string }[] }[] };
const expressions = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** Every name in the services' answers to /metrics. */
async function exposedNames(): Promise<Set<string>> {
  const zero = () => 0;
  const ingest = ingestMetrics({ spoolBytes: zero, refusedBytes: zero, inflightBytes: zero, credentials: zero });
  const detector = detectorMetrics();
  detector.watch({
    pipeline: { dedupe: { size: 0, spanMs: zero } },
    lanes: null,
  } as unknown as Parameters<typeof detector.watch>[0]);
  const app = Fastify();
  installMetrics(app, {
    outboxUnsent: () => Promise.resolve(0),
    changeListeners: zero,
    usageLag: () => Promise.resolve([{ partition: 0, lag: 0 }]),
    verifyEvents: { waiting: 0, lost: 0 },
  });
  const queryApi = await app.inject({ url: '/metrics' });
  const texts = [await ingest.registry.metrics(), await detector.registry.metrics(), queryApi.body];
  const families = texts.flatMap((text) => [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)]);
  return new Set(
    families.flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name!],
    ),
  );
}

/** What an expression reads, or where it is no PromQL. */
function namesIn(text: string): { names: string[]; errorAt: number | null } {
  const source = text.replaceAll('$__rate_interval', '5m');
  const names: string[] = [];
  let errorAt: number | null = null;
  parser.parse(source).iterate({
    enter(node) {
      if (node.type.isError) errorAt ??= node.from;
      if (node.name === 'VectorSelector') names.push(/^[\w:]+/.exec(source.slice(node.from, node.to))?.[0] ?? '');
    },
  });
  return { names, errorAt };
}

describe('alerts and dashboard', () => {
  test.each(expressions)('%s: the expression is PromQL over metrics that the services have', async (_what, expr) => {
    const { names, errorAt } = namesIn(expr);
    expect(errorAt, expr).toBeNull();
    expect(names.length).toBeGreaterThan(0);
    // Prometheus makes this one itself.
    const exposed = (await exposedNames()).add('up');
    expect(names.filter((name) => !exposed.has(name))).toEqual([]);
  });

  test('every alert has its runbook, and every runbook an alert', () => {
    const headings = [...read('runbooks.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!);
    expect(headings).toEqual(alerts.map(({ alert }) => alert));
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook).toBe(`deploy/observability/runbooks.md#${alert.toLowerCase()}`);
  });
});
