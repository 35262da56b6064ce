import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { jobItemSchema, jobsSchema } from '../../contract/index.ts';
import { appendAudit } from '../audit/append.ts';
import { actorOf } from '../http/session-auth.ts';
import { change } from '../registry/registry.ts';
import { listJobs, readJob } from '../schedule/list.ts';
import type { Services } from '../services/services.ts';

/** How long the answer waits for the end of a run; a longer one goes on by itself. */
const RUN_WAIT_MS = 3_000;

/** Recurring work: listed, and run by hand. */
export function jobRoutes(services: Services): FastifyPluginAsyncZod {
  const { scheduler, database, now } = services;
  const { db } = database;

  return async (app) => {
    app.get(
      '/v1/jobs',
      { schema: { tags: ['governance'], summary: 'Recurring work with its last runs', response: { 200: jobsSchema } } },
      async () => ({ items: await listJobs(db, scheduler.jobs, now()) }),
    );

    app.post(
      '/v1/jobs/:id/run',
      {
        config: { can: 'jobs.run' },
        schema: {
          tags: ['governance'],
          summary: 'Run it now, beside its schedule. The answer waits a moment for its end',
          params: z.object({ id: z.string().max(100) }),
          response: { 200: jobItemSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        const actor = actorOf(request);
        await readJob(db, scheduler.jobs, id, now());
        await change(db, (transaction) =>
          appendAudit(transaction, { actor, action: 'job.run', at: new Date(now()), subject: { kind: 'job', id } }),
        );
        await scheduler.runNow(id, actor, RUN_WAIT_MS);
        return readJob(db, scheduler.jobs, id, now());
      },
    );
  };
}
