import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  applicationSchema,
  policiesSchema,
  policyApplySchema,
  policyDetailSchema,
  policyIdSchema,
  policyPreviewSchema,
  policyPutSchema,
} from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import { actorOf } from '../http/session-auth.ts';
import { beginApplication, previewPolicy } from '../policies/apply.ts';
import { readApplications, readOverview, readPolicyDetail } from '../policies/overview.ts';
import { putPolicy } from '../policies/settings.ts';
import { refuseRawKeys } from '../registry/fields.ts';
import type { Services } from '../services/services.ts';

const params = z.object({ id: policyIdSchema });
/** How long the answer waits for the end of an application; a longer one goes on by itself. */
const APPLY_WAIT_MS = 3_000;

/** Rules that the organisation sets for its keys. */
export function policyRoutes(services: Services): FastifyPluginAsyncZod {
  const { policies: parts, proxyPolicy, scheduler, shared, verifier, changes, now } = services;
  const tags = ['governance'];

  return async (app) => {
    app.get(
      '/v1/policies',
      {
        schema: {
          tags,
          summary: 'Policies: what each covers, and what breaks it now',
          response: { 200: policiesSchema },
        },
      },
      async () => {
        const read = await shared.read('policies', () => readOverview(parts));
        return { items: read.map(({ item }) => item) };
      },
    );

    app.get(
      '/v1/policies/:id',
      {
        schema: {
          tags,
          summary: 'One policy with the keys that break it',
          params,
          response: { 200: policyDetailSchema },
        },
      },
      ({ params: { id } }) => readPolicyDetail(parts, id),
    );

    app.put(
      '/v1/policies/:id',
      {
        config: { can: 'policies.manage' },
        schema: {
          tags,
          summary: 'Set it for the organisation or a project',
          params,
          body: policyPutSchema.strict(),
          response: { 200: policyDetailSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        refuseRawKeys(request.body);
        await putPolicy(parts.db, { id, input: request.body, actor: actorOf(request), nowMs: now() });
        if (id === 'proxy_refusal') proxyPolicy.wake();
        shared.forget();
        return readPolicyDetail(parts, id);
      },
    );

    app.post(
      '/v1/policies/:id/preview',
      {
        config: { can: 'policies.manage' },
        schema: {
          tags,
          summary: 'The keys that applying it would change, and why. Changes nothing',
          params,
          response: { 200: policyPreviewSchema },
        },
      },
      ({ params: { id } }) => previewPolicy(parts, id),
    );

    app.post(
      '/v1/policies/:id/apply',
      {
        config: { can: 'policies.manage' },
        schema: {
          tags,
          summary: 'Change every key that breaks it: one audited act. The answer waits a moment for its end',
          params,
          body: policyApplySchema.strict(),
          response: { 200: applicationSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        const actor = actorOf(request);
        const application = await beginApplication(parts, { id, version: request.body.version, actor });
        // Where the job is at work elsewhere it finds this one at its next start.
        await scheduler.runNow('policies.apply', actor, APPLY_WAIT_MS).catch((error: unknown) => {
          if (!(error instanceof ProblemError)) throw error;
        });
        await verifier.refresh();
        shared.forget();
        changes.poke();
        return (await readApplications(parts, id)).find((one) => one.id === application)!;
      },
    );
  };
}
