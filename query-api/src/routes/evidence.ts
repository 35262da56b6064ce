import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  evidencePageSchema,
  evidenceRequestSchema,
  evidenceSchema,
  onboardingSchema,
  pageQuerySchema,
} from '../../contract/index.ts';
import { captureEvidence } from '../evidence/capture.ts';
import { readEvidence, readEvidencePage } from '../evidence/list.ts';
import { actorOf } from '../http/session-auth.ts';
import { readOnboarding } from '../onboarding/onboarding.ts';
import type { Services } from '../services/services.ts';

/** The steps to a first key whose use is proven, and the evidence that proves it. */
export function evidenceRoutes(services: Services): FastifyPluginAsyncZod {
  const { config, database, store, registry, lastUses, now } = services;
  const { db } = database;
  const capturing = { can: 'query' } as const;

  return async (app) => {
    app.get(
      '/v1/onboarding',
      {
        schema: {
          tags: ['audit'],
          summary: 'How far a new organisation is, found out by looking',
          response: { 200: onboardingSchema },
        },
      },
      async () => readOnboarding({ db, store, registry, lastUses, now }),
    );

    app.get(
      '/v1/evidence',
      {
        config: capturing,
        schema: {
          tags: ['audit'],
          summary: 'Captured evidence, newest first',
          querystring: pageQuerySchema.strict(),
          response: { 200: evidencePageSchema },
        },
      },
      async ({ query }) => readEvidencePage(db, query),
    );

    app.post(
      '/v1/evidence',
      {
        config: capturing,
        schema: {
          tags: ['audit'],
          summary: 'Tie an export’s receipt to the runs whose calls are in its file; needs key signing',
          body: evidenceRequestSchema,
          response: { 201: evidenceSchema },
        },
      },
      async (request, reply) => {
        const parts = { db, store, registry, authSecret: config.authSecret, now };
        const evidence = await captureEvidence(parts, request.body.export_id, actorOf(request));
        return reply.status(201).send(evidence);
      },
    );

    app.get(
      '/v1/evidence/:id',
      {
        config: capturing,
        schema: {
          tags: ['audit'],
          summary: 'One piece of evidence',
          params: z.object({ id: z.string().max(64) }),
          response: { 200: evidenceSchema },
        },
      },
      async ({ params }) => readEvidence(db, params.id),
    );
  };
}
