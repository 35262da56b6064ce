import { error, redirect } from '@sveltejs/kit';
import {
  entitiesPageSchema,
  entityDetailSchema,
  assigneesSchema,
  callersSchema,
  channelCreatedSchema,
  channelDeliveriesSchema,
  channelSchema,
  channelsSchema,
  channelTestedSchema,
  casesPageSchema,
  findingDetailSchema,
  findingsPageSchema,
  laneDetailSchema,
  laneSharingSchema,
  lanesPageSchema,
  ledgerHistogramSchema,
  ledgerPageSchema,
  ledgerTotalsSchema,
  overviewSchema,
  problemSchema,
  segmentOf,
  sessionSchema,
  spendBudgetsSchema,
  spendForecastSchema,
  spendSavingsSchema,
  spendSchema,
  triageAnswerSchema,
  UNATTENDED_HEADER,
  usageSchema,
  type ChannelCreate,
  type ChannelEdit,
  type EntityKind,
  type Problem,
  type TriageRequest,
  type Window,
} from '@lanewatch/query-api/contract';
import type { z } from 'zod';
import { queryString, type Query } from '#lib/query.ts';
import { accountCalls } from './account.ts';
import { auditCalls } from './audit.ts';
import { governanceCalls } from './governance.ts';
import { collectorCalls } from './collectors.ts';
import { sqlCalls } from './sql.ts';
import { registryCalls } from './registry.ts';
import { ruleCalls } from './rules.ts';

/** A page is never worth waiting longer for: ad-hoc reads over a quarter year take about a second. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * What came of a command: its value, or the problem to show beside the form. `mayBeDone` where nobody can tell: a fault, no answer,
 * or none that can be read.
 */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; problem: Problem; mayBeDone: boolean };

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Whose request this is. */
export interface Caller {
  /** Address of the visitor: attempts to sign in are counted by it. */
  address: string;
  userAgent: string;
  /** The visitor's cookies that are query-api's, as a header. */
  cookies(): string;
  /** Whether the page asks by itself, which is no use of the session. */
  unattended: boolean;
  /** Takes the cookies that query-api sets, for the visitor. */
  keep(setCookies: string[]): void;
}

/** How parts of the client ask. */
export interface Calls {
  read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.infer<Schema>>;
  command<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    body: unknown,
    options?: { method?: Method; keeps401?: boolean; headers?: Record<string, string> },
  ): Promise<Outcome<z.infer<Schema>>>;
  request(
    method: Method,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    more?: Record<string, string>,
  ): Promise<Response>;
}

/** query-api was not reached, or did not answer. */
interface NoAnswer {
  status: 502 | 504;
  reason: string;
}

function noAnswer(cause: unknown): NoAnswer {
  const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError';
  return timedOut
    ? { status: 504, reason: 'query-api did not answer in time.' }
    : { status: 502, reason: 'query-api can’t be reached.' };
}

/**
 * query-api as the pages see it. Reads end in SvelteKit's own error or redirect: 401 sends to the sign-in page, an unreachable
 * or incomprehensible query-api is a 502, a store that query-api waits for a 503. Commands hand problems back, no answer among them,
 * because a form shows them next to what was typed into it.
 * @param base address of query-api, without a slash at its end
 */
export function createApi(base: string, caller: Caller) {
  async function send(
    method: Method,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    more: Record<string, string> = {},
  ): Promise<Response | NoAnswer> {
    const headers: Record<string, string> = {
      accept: 'application/json, application/problem+json',
      'x-forwarded-for': caller.address,
      ...more,
    };
    if (caller.userAgent !== '') headers['user-agent'] = caller.userAgent;
    const cookies = caller.cookies();
    if (cookies !== '') headers['cookie'] = cookies;
    if (caller.unattended) headers[UNATTENDED_HEADER] = '1';
    if (body !== undefined) headers['content-type'] = 'application/json';
    try {
      const response = await fetch(base + path, {
        method,
        headers,
        body: body === undefined ? null : JSON.stringify(body),
        redirect: 'manual',
        signal: signal ?? AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      caller.keep(response.headers.getSetCookie());
      return response;
    } catch (cause) {
      return noAnswer(cause);
    }
  }

  async function request(...parts: Parameters<typeof send>): Promise<Response> {
    const answer = await send(...parts);
    return answer instanceof Response ? answer : error(answer.status, answer.reason);
  }

  async function read<Schema extends z.ZodType>(schema: Schema, path: string): Promise<z.infer<Schema>> {
    const response = await request('GET', path);
    if (!response.ok) await refuse(response);
    return understand(schema, response);
  }

  async function command<Schema extends z.ZodType>(
    schema: Schema,
    path: string,
    body: unknown,
    {
      method = 'POST',
      keeps401 = false,
      headers = {},
    }: { method?: Method; keeps401?: boolean; headers?: Record<string, string> } = {},
  ): Promise<Outcome<z.infer<Schema>>> {
    const response = await send(method, path, body, undefined, headers);
    if (!(response instanceof Response)) {
      return { ok: false, problem: ownProblem(response.status, response.reason), mayBeDone: true };
    }
    if (response.status === 401 && !keeps401) redirect(303, '/sign-in?reason=expired');
    if (!response.ok) return { ok: false, problem: await problemOf(response), mayBeDone: response.status >= 500 };
    const result = await parsed(schema, response);
    if (result.success) return { ok: true, value: result.data };
    return { ok: false, problem: ownProblem(502, NOT_UNDERSTOOD), mayBeDone: true };
  }

  return {
    ...accountCalls({ read, command, request }),
    ...auditCalls({ read, command, request }),
    ...registryCalls({ read, command }),
    ...governanceCalls({ read, command }),
    ...ruleCalls({ read, command }),
    ...collectorCalls({ read, command }),
    ...sqlCalls({ read, command }),
    /** Runs a query in whichever form is asked for; the answer passes through as it comes. */
    runSql: (body: unknown, accept: string, signal: AbortSignal) =>
      request('POST', '/v1/sql', body, signal, { accept }),
    overview: (window: Window) => read(overviewSchema, `/v1/overview${queryString({ window })}`),
    lanes: (query: Query) => read(lanesPageSchema, `/v1/lanes${queryString(query)}`),
    lane: (lane: string, window: Window) =>
      read(laneDetailSchema, `/v1/lanes/${encodeURIComponent(lane)}${queryString({ window })}`),
    entities: (kind: EntityKind, query: Query) => read(entitiesPageSchema, `/v1/entities/${kind}${queryString(query)}`),
    entity: (kind: EntityKind, value: string, window: Window) =>
      read(entityDetailSchema, `/v1/entities/${kind}/${segmentOf(value)}${queryString({ window })}`),
    session: (session: string, query: Query) =>
      read(sessionSchema, `/v1/sessions/${segmentOf(session)}${queryString(query)}`),
    usage: (query: Query) => read(usageSchema, `/v1/usage${queryString(query)}`),
    spend: (query: Query) => read(spendSchema, `/v1/spend${queryString(query)}`),
    spendForecast: (query: Query) => read(spendForecastSchema, `/v1/spend/forecast${queryString(query)}`),
    spendBudgets: () => read(spendBudgetsSchema, '/v1/spend/budgets'),
    spendSavings: (query: Query) => read(spendSavingsSchema, `/v1/spend/savings${queryString(query)}`),
    cases: (query: Query) => read(casesPageSchema, `/v1/cases${queryString(query)}`),
    triage: (body: Partial<TriageRequest> & Pick<TriageRequest, 'act'>) =>
      command(triageAnswerSchema, '/v1/findings/triage', body),
    assignees: () => read(assigneesSchema, '/v1/findings/assignees'),
    laneSharing: (lane: string, window: Window) =>
      read(laneSharingSchema, `/v1/lanes/${encodeURIComponent(lane)}/sharing${queryString({ window })}`),
    laneCallers: (lane: string) => read(callersSchema, `/v1/lanes/${encodeURIComponent(lane)}/callers`),
    ledger: (query: Query) => read(ledgerPageSchema, `/v1/ledger${queryString(query)}`),
    ledgerTotals: ({ limit: _limit, cursor: _cursor, totals: _totals, order: _order, ...filter }: Query) =>
      read(ledgerTotalsSchema, `/v1/ledger/totals${queryString(filter)}`),
    ledgerHistogram: ({
      limit: _limit,
      cursor: _cursor,
      totals: _totals,
      order: _order,
      place: _place,
      ...filter
    }: Query) => read(ledgerHistogramSchema, `/v1/ledger/histogram${queryString({ ...filter, stored_after: null })}`),
    findings: (query: Query) => read(findingsPageSchema, `/v1/findings${queryString(query)}`),
    finding: (id: string) => read(findingDetailSchema, `/v1/findings/${encodeURIComponent(id)}`),
    channels: () => read(channelsSchema, '/v1/channels'),
    channelDeliveries: (id: string) =>
      read(channelDeliveriesSchema, `/v1/channels/${encodeURIComponent(id)}/deliveries`),
    createChannel: (body: Partial<ChannelCreate>) => command(channelCreatedSchema, '/v1/channels', body),
    editChannel: (id: string, body: ChannelEdit) =>
      command(channelSchema, `/v1/channels/${encodeURIComponent(id)}`, body, { method: 'PATCH' }),
    testChannel: (id: string) => command(channelTestedSchema, `/v1/channels/${encodeURIComponent(id)}/test`, {}),
    commentOn: (ids: readonly string[], text: string) =>
      command(triageAnswerSchema, '/v1/findings/comments', { ids, text }),
    /** The stream of what happens, as it is. */
    stream: (signal: AbortSignal, { lastEventId, since }: { lastEventId: string; since: string }) =>
      request('GET', `/v1/stream${queryString({ since })}`, undefined, signal, { 'last-event-id': lastEventId }),
    ready: () => request('GET', '/readyz'),
  };
}
export type Api = ReturnType<typeof createApi>;

async function refuse(response: Response): Promise<never> {
  if (response.status === 401) redirect(303, '/sign-in?reason=expired');
  const problem = await problemOf(response);
  // A fault of query-api is an upstream's to whoever asked us; a store that it waits for stays what it is.
  const fault = response.status >= 500 && response.status !== 503;
  error(fault ? 502 : response.status, problem.detail || problem.title);
}

async function problemOf(response: Response): Promise<Problem> {
  const result = problemSchema.safeParse(await jsonOf(response));
  if (result.success) return result.data;
  return ownProblem(response.status, `query-api answered ${response.status}.`);
}

function ownProblem(status: number, detail: string): Problem {
  return { type: 'about:blank', title: detail, status, detail, errors: [], request_id: '' };
}

const NOT_UNDERSTOOD = 'query-api answered something this dashboard does not understand. Are both of the same release?';

async function understand<Schema extends z.ZodType>(schema: Schema, response: Response): Promise<z.infer<Schema>> {
  const result = await parsed(schema, response);
  return result.success ? result.data : error(502, NOT_UNDERSTOOD);
}

/** The answer as its schema has it; what does not fit is logged by its place, without what stands there. */
async function parsed<Schema extends z.ZodType>(schema: Schema, response: Response) {
  const result = schema.safeParse(await jsonOf(response));
  const issue = result.error?.issues[0];
  if (issue) console.error(`${response.url.split('?')[0]}: ${issue.path.join('.')}: ${issue.message}`);
  return result;
}

/** The body as JSON, or undefined: an empty or broken one is judged by the schema. */
async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
