import { randomBytes } from 'node:crypto';
import {
  BACKTEST_PATIENCE_MS,
  BACKTESTS_TABLE,
  backtestRequestSchema,
  backtestResultSchema,
  NOT_TRIED,
  sentenceOf,
  type BacktestRequest,
  type Finding,
  type RuleSettings,
} from '@lanewatch/detector/contract';
import type { Bus, TopicSpec } from '@lanewatch/ingest/contract';
import type { z } from 'zod';
import type { Backtest, BacktestFound, backtestCreateSchema } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { readSettings, ruleOf } from './read-rules.ts';
import { checkedParameters, unset } from './set-rule.ts';

export interface BacktestRequests {
  /** Asks for one and answers its id. @throws {ProblemError} `not_found`, `validation` */
  ask(rule: string, input: z.output<typeof backtestCreateSchema>): Promise<string>;
  /** @throws {ProblemError} `not_found` */
  read(id: string): Promise<Backtest>;
  /** Stops one; one that is over stays as it is. @throws {ProblemError} `not_found` */
  cancel(id: string): Promise<void>;
}

const DAY_MS = 86_400_000;

interface Row {
  rule: string;
  state: Backtest['state'];
  request: string;
  rows_done: number | string;
  rows_total: number | string;
  result: string;
  problem: string;
  took_ms: number | string;
}

/**
 * Requests go over the bus, because detectors do the work; what they made of it is in their store. When one was asked for is part of its id, so
 * that nothing has to be remembered here until a detector takes it up.
 */
export function createBacktestRequests(parts: {
  db: RegistryDatabase;
  store: ClickHouse;
  bus: Bus;
  topic: TopicSpec;
  now: () => number;
}): BacktestRequests {
  const { db, store, bus, topic, now } = parts;

  const publish = (request: BacktestRequest) =>
    bus.publish(topic.name, [{ key: request.id, value: Buffer.from(JSON.stringify(request), 'utf8') }]);

  async function rowOf(id: string): Promise<Row | undefined> {
    const rows = await store.rows<Row>(
      `SELECT rule, state, request, rows_done, rows_total, result, problem,
              toUnixTimestamp64Milli(updated_at) - toUnixTimestamp64Milli(started_at) AS took_ms
       FROM ${store.database}.${BACKTESTS_TABLE} FINAL WHERE id = {id:String}`,
      { id },
    );
    return rows[0];
  }

  async function read(id: string): Promise<Backtest> {
    const row = await rowOf(id);
    if (row !== undefined) return backtestOf(id, row);
    const waitedMs = now() - askedMs(id);
    if (waitedMs > BACKTEST_PATIENCE_MS || waitedMs < -BACKTEST_PATIENCE_MS)
      throw new ProblemError('not_found', 'There is no such backtest: none was asked for, or no detector took it up.');
    return {
      ...{ id, state: 'waiting', rule: '', from: null, to: null, tried: null },
      ...{ rows_done: 0, rows_total: 0, took_ms: 0, problem: '', result: null },
    };
  }

  return {
    async ask(rule, { days, parameters, ...given }) {
      if (NOT_TRIED.has(ruleOf(rule).id))
        throw new ProblemError(
          'validation',
          'This rule goes by how the registry was at each moment, or by each minute of silence, and neither is kept.',
        );
      const present = (await readSettings(db, rule)).get(rule)?.settings ?? null;
      const base = present ?? unset(rule);
      const nowMs = now();
      const settings: RuleSettings = {
        ...base,
        ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
        parameters: checkedParameters(rule, { ...base.parameters, ...parameters }),
        version: base.version + 1,
      };
      const id = `bt_${nowMs.toString(36)}_${randomBytes(12).toString('hex')}`;
      const [from, to, requested_at] = [nowMs - days * DAY_MS, nowMs, nowMs].map((ms) => new Date(ms).toISOString());
      await publish({ id, cancelled: false, settings, present, from: from!, to: to!, requested_at: requested_at! });
      return id;
    },
    read,
    async cancel(id) {
      const { state } = await read(id);
      if (state !== 'waiting' && state !== 'running') return;
      const requested_at = new Date(askedMs(id)).toISOString();
      // Only its id counts.
      const nothing = {
        settings: { ...unset('R01'), version: 1 },
        present: null,
        from: requested_at,
        to: requested_at,
      };
      await publish({ id, requested_at, cancelled: true, ...nothing });
    },
  };
}

const askedMs = (id: string): number => Number.parseInt(id.split('_')[1] ?? '', 36);

function backtestOf(id: string, row: Row): Backtest {
  const { settings, from, to } = backtestRequestSchema.parse(JSON.parse(row.request));
  const { enabled, severity, parameters, orgs, projects, environments } = settings;
  const result = row.result === '' ? null : backtestResultSchema.parse(JSON.parse(row.result));
  return {
    ...{ id, from, to, state: row.state, rule: row.rule, problem: row.problem },
    tried: { enabled, severity, parameters, orgs, projects, environments },
    rows_done: Number(row.rows_done),
    rows_total: Number(row.rows_total),
    took_ms: Number(row.took_ms),
    result: result === null ? null : { ...result, more: result.more.map(foundOf), fewer: result.fewer.map(foundOf) },
  };
}

function foundOf(finding: Finding): BacktestFound {
  const { id, lane, hint, org, severity, first_seen, last_seen, occurrences } = finding;
  return { id, lane, hint, org, severity, first_seen, last_seen, occurrences, sentence: sentenceOf(finding) };
}
