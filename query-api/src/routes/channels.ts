import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  channelCreatedSchema,
  channelCreateSchema,
  channelDeliveriesSchema,
  channelEditSchema,
  channelSchema,
  channelsSchema,
  channelTestedSchema,
} from '../../contract/index.ts';
import type { Channel } from '../../contract/index.ts';
import { fieldProblem } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { channelRow, createChannel, editChannel, readChannels, readDeliveries } from '../notify/channels.ts';
import { sendNow, writeDelivery } from '../notify/deliver.ts';
import type { Services } from '../services/services.ts';

const channelParams = z.object({ id: z.string().min(1).max(64) });
const forAdmins = { can: 'channels.manage' } as const;

/** Where findings are told to people. */
export function channelRoutes({ database, delivery, config, now }: Services): FastifyPluginAsyncZod {
  const { db } = database;
  const oneOf = async (id: string): Promise<Channel> => (await readChannels(db, id))[0]!;

  return async (app) => {
    app.get(
      '/v1/channels',
      {
        schema: { tags: ['channels'], summary: 'Where findings are told to people', response: { 200: channelsSchema } },
      },
      async () => ({ items: await readChannels(db), email_ready: delivery.smtpUrl !== null }),
    );

    app.post(
      '/v1/channels',
      {
        config: forAdmins,
        schema: {
          tags: ['channels'],
          summary: 'Make a webhook, a Slack or an e-mail channel',
          description:
            'Findings that are there already are not told. A webhook’s signing secret is in this answer and never again.',
          body: channelCreateSchema,
          response: { 201: channelCreatedSchema },
        },
      },
      async (request, reply) => {
        if (request.body.kind === 'email' && delivery.smtpUrl === null)
          throw fieldProblem('kind', 'email needs an SMTP server: set SMTP_URL_FILE and start query-api again');
        const made = await createChannel(db, request.body, config.authSecret, {
          actor: actorOf(request),
          nowMs: now(),
        });
        void reply.status(201);
        return { channel: await oneOf(made.id), signing_secret: made.secret };
      },
    );

    app.patch(
      '/v1/channels/:id',
      {
        config: forAdmins,
        schema: {
          tags: ['channels'],
          summary: 'Change what a channel tells of, when and where to, or switch it off',
          params: channelParams,
          body: channelEditSchema.strict(),
          response: { 200: channelSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        await editChannel(db, id, request.body, config.authSecret, { actor: actorOf(request), nowMs: now() });
        return oneOf(id);
      },
    );

    app.post(
      '/v1/channels/:id/test',
      {
        config: forAdmins,
        schema: {
          tags: ['channels'],
          summary: 'Send a test message at once',
          params: channelParams,
          response: { 200: channelTestedSchema },
        },
      },
      async (request) => {
        const channel = await channelRow(db, request.params.id);
        const deliveryId = randomUUID();
        const message = { deliveryId, findings: [], dashboardUrl: config.dashboardUrl, isTest: true };
        const attempt = await sendNow(delivery, channel, message);
        await writeDelivery(db, channel.id, { deliveryId, findings: 0, attempt, nowMs: now() });
        return { ok: attempt.ok, detail: attempt.detail, duration_ms: attempt.durationMs };
      },
    );

    app.get(
      '/v1/channels/:id/deliveries',
      {
        schema: {
          tags: ['channels'],
          summary: 'The last attempts to tell a channel, newest first',
          params: channelParams,
          response: { 200: channelDeliveriesSchema },
        },
      },
      async (request) => {
        await channelRow(db, request.params.id);
        return { items: await readDeliveries(db, request.params.id) };
      },
    );
  };
}
