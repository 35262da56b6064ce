import { z } from 'zod';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  assigneesSchema,
  findingActSchema,
  findingAssignSchema,
  findingCommentPostSchema,
  findingCommentsPostSchema,
  findingDetailSchema,
  findingItemSchema,
  findingResolveSchema,
  findingsPageSchema,
  findingSnoozeSchema,
  findingsQuerySchema,
  SNOOZE_DAYS_MAX,
  triageAnswerSchema,
  triageRequestSchema,
} from '../../contract/index.ts';
import type { FindingItem, TriageAnswer } from '../../contract/index.ts';
import { actOnFindings } from '../findings/acts.ts';
import type { TriageAct } from '../findings/act-rules.ts';
import { assigneeOf, readAssignees } from '../findings/assignees.ts';
import { commentOn } from '../findings/comments.ts';
import { readFindingDetail } from '../findings/detail.ts';
import { listFindings } from '../findings/findings.ts';
import { idsOnLanes } from '../findings/on-lanes.ts';
import { readCounts } from '../findings/open-findings.ts';
import { fieldProblem, ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

const findingParams = z.object({ id: z.string().min(1).max(64) });
const DAY_MS = 86_400_000;
const NO_FINDING = 'No finding has this id.';
const forTriage = { can: 'findings.triage' } as const;
const NOTHING = { as: 'fixed', reason: '', until: null, assignee: null } as const;

/** Findings, and what people do about them. */
export function findingRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, shared, changes, now } = services;
  const { db } = database;

  /** What was done is seen by whoever asks next, and told to whoever listens. */
  function told<Result>(result: Result): Result {
    shared.forget();
    changes.poke();
    return result;
  }

  async function act(
    request: FastifyRequest,
    ids: readonly string[],
    parts: TriageAct,
    seen?: Readonly<Record<string, number>>,
  ): Promise<TriageAnswer> {
    const actor = actorOf(request);
    return told(await actOnFindings({ store, db, nowMs: now(), actor }, ids, parts, seen));
  }

  async function comment(request: FastifyRequest, ids: readonly string[], text: string): Promise<TriageAnswer> {
    return told(await commentOn({ store, db, nowMs: now(), actor: actorOf(request) }, ids, text));
  }

  /** One act on one finding: what bulk tells per finding is an error here. */
  async function actOnOne(
    request: FastifyRequest,
    id: string,
    parts: Partial<TriageAct> & Pick<TriageAct, 'act'>,
    version: number | undefined,
  ): Promise<FindingItem> {
    const answer = await act(request, [id], { ...NOTHING, ...parts }, version === undefined ? {} : { [id]: version });
    const [{ outcome, detail, finding }] = answer.items as [TriageAnswer['items'][number]];
    if (finding === null || outcome === 'missing') throw new ProblemError('not_found', NO_FINDING);
    if (outcome === 'refused') throw new ProblemError('conflict', detail, [{ path: 'version', message: detail }]);
    return finding;
  }

  function untilOf(text: string): Date {
    const untilMs = Date.parse(text);
    if (untilMs <= now()) throw fieldProblem('until', 'must lie in the future');
    if (untilMs > now() + SNOOZE_DAYS_MAX * DAY_MS) {
      throw fieldProblem('until', `must lie within ${SNOOZE_DAYS_MAX} days`);
    }
    return new Date(untilMs);
  }

  const described = (summary: string, description = '') => ({
    ...{ tags: ['findings'], summary, params: findingParams, response: { 200: findingItemSchema } },
    ...(description === '' ? {} : { description }),
  });

  return async (app) => {
    app.get(
      '/v1/findings',
      {
        schema: {
          tags: ['findings'],
          summary: 'Findings, highest risk first, then newest, unless sorted otherwise',
          querystring: findingsQuerySchema.strict(),
          response: { 200: findingsPageSchema },
        },
      },
      async (request) => {
        const { query } = request;
        const asked = { nowMs: now(), me: actorOf(request) };
        const [page, counts] = await Promise.all([
          listFindings(store, db, query, asked),
          query.counts === 'none' ? null : readCounts(store, db, query, asked),
        ]);
        return { ...page, counts };
      },
    );

    app.get(
      '/v1/findings/assignees',
      { schema: { tags: ['findings'], summary: 'Who may triage', response: { 200: assigneesSchema } } },
      () => readAssignees(db),
    );

    app.get(
      '/v1/findings/:id',
      {
        schema: {
          tags: ['findings'],
          summary: 'One finding with its history, comments, similar ones and the runbook of its rule',
          params: findingParams,
          response: { 200: findingDetailSchema },
        },
      },
      async ({ params }) => {
        const finding = await readFindingDetail(store, db, params.id, now());
        if (finding === null) throw new ProblemError('not_found', NO_FINDING);
        return finding;
      },
    );

    app.post(
      '/v1/findings/:id/acknowledge',
      {
        config: forTriage,
        schema: { ...described('Somebody works on it; reopen undoes it'), body: findingActSchema.strict() },
      },
      (request) => {
        const { version, reason } = request.body;
        return actOnOne(request, request.params.id, { act: 'acknowledge', reason }, version);
      },
    );

    app.post(
      '/v1/findings/:id/resolve',
      {
        config: forTriage,
        schema: {
          ...described('It is done; reopen undoes it', 'What was resolved as fixed re-opens when it occurs again.'),
          body: findingResolveSchema.strict(),
        },
      },
      (request) => {
        const { version, reason, as } = request.body;
        return actOnOne(request, request.params.id, { act: 'resolve', as, reason }, version);
      },
    );

    app.post(
      '/v1/findings/:id/reopen',
      {
        config: forTriage,
        schema: { ...described('It wants a decision again'), body: findingActSchema.strict() },
      },
      (request) => {
        const { version, reason } = request.body;
        return actOnOne(request, request.params.id, { act: 'reopen', reason }, version);
      },
    );

    app.post(
      '/v1/findings/:id/snooze',
      {
        config: forTriage,
        schema: {
          ...described('Out of the queue until an instant; reopen undoes it'),
          body: findingSnoozeSchema.strict(),
        },
      },
      async (request) => {
        const { version, reason, until } = request.body;
        return actOnOne(request, request.params.id, { act: 'snooze', reason, until: untilOf(until) }, version);
      },
    );

    app.post(
      '/v1/findings/:id/assign',
      {
        config: forTriage,
        schema: { ...described('Gives it to somebody, or to nobody'), body: findingAssignSchema.strict() },
      },
      async (request) => {
        const { version, assignee: named } = request.body;
        const assignee = await assigneeOf(db, named, actorOf(request));
        return actOnOne(request, request.params.id, { act: 'assign', assignee }, version);
      },
    );

    app.post(
      '/v1/findings/:id/comment',
      {
        config: { can: 'findings.comment' },
        schema: { ...described('Adds a comment'), body: findingCommentPostSchema.strict() },
      },
      async (request) => {
        const { id } = request.params;
        const { items } = await comment(request, [id], request.body.text);
        const finding = items[0]?.finding ?? null;
        if (finding === null) throw new ProblemError('not_found', NO_FINDING);
        return finding;
      },
    );

    app.post(
      '/v1/findings/comments',
      {
        config: { can: 'findings.comment' },
        schema: {
          tags: ['findings'],
          summary: 'The same comment on many findings, answered for each',
          body: findingCommentsPostSchema,
          response: { 200: triageAnswerSchema },
        },
      },
      (request) => comment(request, [...new Set(request.body.ids)], request.body.text),
    );

    app.post(
      '/v1/findings/triage',
      {
        config: forTriage,
        schema: {
          tags: ['findings'],
          summary: 'One act on many findings, answered for each',
          description:
            'What is refused leaves the others done. The opposite act undoes it: reopen, or assign to who it was.',
          body: triageRequestSchema,
          response: { 200: triageAnswerSchema },
        },
      },
      async (request) => {
        const { act: name, ids, lanes, as, reason, until, assignee, versions } = request.body;
        const parts: TriageAct = {
          ...{ act: name, as, reason },
          until: name === 'snooze' && until !== undefined ? untilOf(until) : null,
          assignee: name === 'assign' ? await assigneeOf(db, assignee ?? '', actorOf(request)) : null,
        };
        const named = ids ?? (await idsOnLanes(store, db, lanes ?? [], name, now()));
        return act(request, [...new Set(named)], parts, versions);
      },
    );
  };
}
