import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { mayShipEvents } from '@lanewatch/ingest/contract';
import { credentialCreateSchema } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { statusAt } from '../registry/record.ts';
import { registerCredential } from '../registry/register.ts';
import type { Services } from '../services/services.ts';
import { PUBLISH_WAIT_MS } from './credential-answers.ts';

const ACTOR = 'start';
const bootstrapSchema = z.object({ issue_collector_key: z.boolean().default(false) }).strict();

/** Routes for the program that starts this one. They exist only when a control token is configured. */
export function controlRoutes(services: Services, controlToken: string): FastifyPluginAsyncZod {
  const { accounts, config, database, store, registry, publisher, now } = services;
  const expected = digestOf(`Bearer ${controlToken}`);

  async function newSignInUrl(): Promise<string> {
    const url = new URL('/sign-in', config.dashboardUrl);
    url.searchParams.set('link', await accounts.createLink());
    return url.href;
  }

  return async (app) => {
    app.addHook('onRequest', async (request) => {
      // Digests have one length, which the comparison needs, and give no length away.
      if (timingSafeEqual(digestOf(request.headers.authorization ?? ''), expected)) return;
      throw new ProblemError('not_signed_in', 'This route takes the control token as bearer.', [], {
        'www-authenticate': 'Bearer',
      });
    });

    app.post('/internal/sign-in-links', { schema: { hide: true } }, async (_request, reply) => {
      return reply.status(201).send({ sign_in_url: await newSignInUrl() });
    });

    app.post('/internal/bootstrap', { schema: { hide: true, body: bootstrapSchema } }, async ({ body, log }) => {
      const { all } = await registry.current();
      const usable = all.filter((row) => mayShipEvents(row) && statusAt(row, now()) === 'active');
      let collectorKey: string | null = null;
      if (usable.length === 0 || body.issue_collector_key) {
        const input = credentialCreateSchema.parse({
          kind: 'managed',
          name: usable.length === 0 ? 'First collector' : `Collector ${usable.length + 1}`,
          environment: 'development',
          owner: 'lanewatch',
          owner_kind: 'service_account',
          sharing: 'team',
        });
        const onFault = (error: unknown): void => log.warn({ err: error }, 'findings of the collector key not read');
        const parts = { db: database.db, store, modules: config.modules, nowMs: now(), onFault };
        const issued = await registerCredential(parts, input, ACTOR);
        collectorKey = issued.secret;
        await publisher.published(issued.outboxId, PUBLISH_WAIT_MS);
      }
      return { sign_in_url: await newSignInUrl(), collector_key: collectorKey };
    });
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
