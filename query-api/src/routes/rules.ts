import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  backtestCreateSchema,
  backtestMadeSchema,
  backtestSchema,
  ruleItemSchema,
  rulePatchSchema,
  rulesSchema,
} from '../../contract/index.ts';
import { actorOf } from '../http/session-auth.ts';
import { refuseRawKeys } from '../registry/fields.ts';
import { readRules, ruleOf } from '../rules/read-rules.ts';
import { setRule } from '../rules/set-rule.ts';
import type { Services } from '../services/services.ts';

const params = z.object({ id: z.string().max(8) });
const backtestParams = z.object({ id: z.string().regex(/^bt_[0-9a-z]{8,9}_[0-9a-f]{24}$/, 'is no id of a backtest') });

/** Detection rules: how they are set and how they did. */
export function ruleRoutes(services: Services): FastifyPluginAsyncZod {
  const { database, store, shared, rulePublisher, backtests, now } = services;
  const parts = { db: database.db, store, now };
  const tags = ['detection'];

  return async (app) => {
    app.get(
      '/v1/rules',
      {
        schema: { tags, summary: 'Every rule in words, as it is set, and how it did', response: { 200: rulesSchema } },
      },
      () => shared.read('rules', async () => ({ items: await readRules(parts) })),
    );

    app.get(
      '/v1/rules/:id',
      { schema: { tags, summary: 'One rule', params, response: { 200: ruleItemSchema } } },
      async ({ params: { id } }) => {
        ruleOf(id);
        return (await readRules(parts, id))[0]!;
      },
    );

    app.patch(
      '/v1/rules/:id',
      {
        config: { can: 'rules.manage' },
        schema: {
          tags,
          summary: 'Set a rule. Events received from effective_from on are held against it',
          params,
          body: rulePatchSchema.strict(),
          response: { 200: ruleItemSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        refuseRawKeys(request.body);
        await setRule(database.db, { id, input: request.body, actor: actorOf(request), nowMs: now() });
        rulePublisher.wake();
        shared.forget();
        return (await readRules(parts, id))[0]!;
      },
    );

    app.post(
      '/v1/rules/:id/backtest',
      {
        config: { can: 'rules.manage' },
        schema: {
          tags,
          summary: 'Hold stored events against a rule with other settings, without setting it',
          description:
            'A detector does it beside its work; GET /v1/backtests/{id} tells how far it is and what it found.',
          params,
          body: backtestCreateSchema.strict(),
          response: { 202: backtestMadeSchema },
        },
      },
      async (request, reply) => {
        refuseRawKeys(request.body);
        void reply.status(202);
        return { id: await backtests.ask(request.params.id, request.body) };
      },
    );

    app.get(
      '/v1/backtests/:id',
      {
        schema: {
          tags,
          summary: 'How far a backtest is, and what it found',
          params: backtestParams,
          response: { 200: backtestSchema },
        },
      },
      ({ params: { id } }) => backtests.read(id),
    );

    app.post(
      '/v1/backtests/:id/cancel',
      {
        config: { can: 'rules.manage' },
        schema: { tags, summary: 'Stop a backtest', params: backtestParams, response: { 200: backtestSchema } },
      },
      async ({ params: { id } }) => {
        await backtests.cancel(id);
        return backtests.read(id);
      },
    );
  };
}
