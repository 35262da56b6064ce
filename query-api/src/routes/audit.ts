import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { auditPageSchema, auditQuerySchema, chainStateSchema } from '../../contract/index.ts';
import type { ChainState } from '../../contract/index.ts';
import { readAudit } from '../audit/read.ts';
import { verifyAudit } from '../audit/verify.ts';
import type { Services } from '../services/services.ts';

const forAnalysts = { can: 'audit.read' } as const;
/** Checking reads the whole trail: who asks again within this time is told of the same check. */
const CHECK_KEPT_MS = 5_000;

/** The audit trail, and whether it is as it was written. */
export function auditRoutes({ database: { db }, now }: Services): FastifyPluginAsyncZod {
  let check: { atMs: number; state: Promise<ChainState> } | null = null;

  return async (app) => {
    app.get(
      '/v1/audit',
      {
        config: forAnalysts,
        schema: {
          tags: ['audit'],
          summary: 'Who did what to which key or setting, newest first',
          querystring: auditQuerySchema.strict(),
          response: { 200: auditPageSchema },
        },
      },
      async ({ query: { limit, cursor, ...filter } }) => readAudit(db, filter, { limit, cursor }),
    );

    app.get(
      '/v1/audit/chain',
      {
        config: forAnalysts,
        schema: {
          tags: ['audit'],
          summary:
            'Whether the trail is as it was written: every hash, every link, and every place that a receipt knows',
          response: { 200: chainStateSchema },
        },
      },
      async () => {
        if (check === null || now() - check.atMs > CHECK_KEPT_MS) {
          const begun = { atMs: now(), state: verifyAudit(db, now()) };
          check = begun;
          begun.state.catch(() => {
            if (check === begun) check = null;
          });
        }
        return check.state;
      },
    );
  };
}
