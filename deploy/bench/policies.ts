import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { chainStateSchema, jobItemSchema, jobsSchema, policyItemSchema } from '@lanewatch/query-api/contract';
import { z } from 'zod';
import { limitResult, type Bench, type BenchContext, type BenchResult } from './bench.ts';
import { quantile, timeOf } from './reads/clicking.ts';
import { openLedger, type OpenedLedger } from './reads/ledger.ts';
import { fillRegistry, metricOf, untilPublished } from './registry.ts';

const KEYS = 100_000;
const AGE_DAYS = 200;
const MODULES = ['agents_execution', 'workflow_automation', 'integrations'];
const ANSWERS = 200;
const PAGE_LIMIT_MS = 100;
/** What a reader may wait while a job changes all keys. */
const BESIDE_LIMIT_MS = 250;
const BETWEEN_READS_MS = 100;
/** What a job over all keys may add to the memory of query-api. */
const GROWTH_LIMIT_MB = 512;
const MB = 1024 * 1024;

/** What pages of the registry ask for. */
const PAGES = {
  list: '/v1/credentials?status=active',
  search: '/v1/credentials?status=active&q=key%209917',
  'cards of modules': '/v1/credentials/modules',
  'cards of environments': '/v1/credentials/environments',
} as const;

/** Policies, one after the other, each with the job that carries it out. */
const STEPS = [
  { policy: 'auto_rotation', mode: 'enforce', job: 'policies.rotate' },
  { policy: 'maximum_lifetime', mode: 'enforce', job: 'policies.enforce' },
  { policy: 'expiry_alerts', mode: 'watch', job: 'policies.notices' },
] as const;
const SETTINGS = {
  auto_rotation: { every_days: 90, grace_days: 1, collect_within_days: 30 },
  maximum_lifetime: { max_days: 90, notice_days: 20 },
  expiry_alerts: { days: [30, 14, 7, 1] },
};

export const policies: Bench = {
  id: 'P13',
  summary: `pages of a registry of ${KEYS} keys, and policies that change all of them`,
  async run(context) {
    const home = join(context.temporaryDirectory(), 'home');
    const keyOf = (at: number) => ({
      ...{ name: `Key ${at}`, owner: `person-${at % 5_000}@corp.example`, module: MODULES[at % MODULES.length] },
      ...{ environment: 'staging', scopes: [{ action: 'write', resource: 'runs/*' }] },
    });
    await fillRegistry(`pglite:${join(home, 'registry')}`, KEYS, keyOf, AGE_DAYS);
    const opened = await openLedger(context, { home, title: `${KEYS} keys` });
    await untilPublished(opened.ready.query_api_url);
    const results = await readPages(context, opened);
    for (const step of STEPS) results.push(...(await runJob(context, opened, step)));
    results.push(await checkChain(context, opened));
    return results;
  },
};

async function readPages(context: BenchContext, { ready, cookie }: OpenedLedger): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const [name, path] of Object.entries(PAGES)) {
    const times: number[] = [];
    for (let at = 0; at < ANSWERS; at++) times.push(await timeOf(ready.query_api_url + path, cookie));
    const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
    context.log(`P13 ${name}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms of ${ANSWERS} answers`);
    const what = `${KEYS} keys, ${name} over HTTP: p95`;
    results.push(below(what, 'ms', p95, PAGE_LIMIT_MS, `p50 ${p50.toFixed(0)} ms`));
  }
  return results;
}

/** Sets a policy, runs its job over all keys, and reads pages beside it. */
async function runJob(
  context: BenchContext,
  opened: OpenedLedger,
  { policy, mode, job }: (typeof STEPS)[number],
): Promise<BenchResult[]> {
  const { session, ready, cookie } = opened;
  const url = ready.query_api_url;
  const { version } = await session.call(policyItemSchema, 'GET', `/v1/policies/${policy}`);
  const put = { mode, settings: SETTINGS[policy], version };
  await session.call(z.unknown(), 'PUT', `/v1/policies/${policy}`, put);
  const memory = (): Promise<number> => metricOf(url, 'process_resident_memory_bytes');
  const before = await memory();
  let most = before;
  const times: number[] = [];
  const startedMs = performance.now();
  let item = await session.call(jobItemSchema, 'POST', `/v1/jobs/${job}/run`, {});
  for (let at = 0; item.runs[0]?.outcome === 'running' && !context.stopped.aborted; at++) {
    times.push(await timeOf(url + Object.values(PAGES)[at % Object.keys(PAGES).length]!, cookie));
    if (at % 10 === 0) {
      most = Math.max(most, await memory());
      const { items } = await session.call(jobsSchema, 'GET', '/v1/jobs');
      item = items.find(({ id }) => id === job)!;
    }
    await delay(BETWEEN_READS_MS);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
  const run = item.runs[0]!;
  if (run.outcome !== 'done') throw new Error(`${job} ended as ${run.outcome}: ${run.detail}`);
  most = Math.max(most, await memory());
  const longest = Math.max(0, ...times);
  context.log(
    `P13 ${job}: ${run.detail} ${seconds} s; ${times.length} reads beside it, at most ${longest.toFixed(0)} ms`,
  );
  const growthMb = (most - before) / MB;
  const note = `${run.detail} It took ${seconds} s`;
  return [
    ...(times.length === 0
      ? []
      : [
          below(
            `${policy} on ${KEYS} keys: p95 of reads beside it`,
            'ms',
            quantile(times, 0.95),
            BESIDE_LIMIT_MS,
            `${times.length} answers, the longest after ${longest.toFixed(0)} ms`,
          ),
        ]),
    below(`${policy} on ${KEYS} keys: memory that query-api takes more`, 'MB', growthMb, GROWTH_LIMIT_MB, note),
  ];
}

/** Checks the trail of all that, which has a row for each change. */
async function checkChain(context: BenchContext, { session, ready }: OpenedLedger): Promise<BenchResult> {
  const memory = (): Promise<number> => metricOf(ready.query_api_url, 'process_resident_memory_bytes');
  const before = await memory();
  const startedMs = performance.now();
  const { holds, rows } = await session.call(chainStateSchema, 'GET', '/v1/audit/chain');
  const seconds = (performance.now() - startedMs) / 1000;
  if (!holds) throw new Error('The trail is broken');
  context.log(`P13: ${rows} rows of the audit trail were checked in ${seconds.toFixed(1)} s`);
  const growthMb = ((await memory()) - before) / MB;
  const note = `in ${seconds.toFixed(1)} s`;
  return below(`check of ${rows} rows of the audit trail: memory more`, 'MB', growthMb, GROWTH_LIMIT_MB, note);
}

function below(what: string, unit: string, ours: number, limit: number, note: string): BenchResult {
  // Memory may have become less.
  return { ...limitResult({ id: 'P13', what, unit, ours, note }, limit), ratio: limit / Math.max(ours, 1) };
}
