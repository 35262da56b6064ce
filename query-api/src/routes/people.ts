import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  invitationSchema,
  invitedSchema,
  peopleSchema,
  personChangeSchema,
  personSchema,
} from '../../contract/index.ts';
import type { Person } from '../../contract/index.ts';
import { recordAccountEvent } from '../accounts/audit.ts';
import { changePerson, listPeople, personById } from '../accounts/people.ts';
import { asProblem } from '../http/auth-problem.ts';
import { actorOf, requireStepUp } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

const personParams = z.object({ id: z.string().min(1).max(64) });
const forAdmins = { can: 'people.manage', sessionOnly: true } as const;

/** Who has an account, and with which role. */
export function peopleRoutes(services: Services): FastifyPluginAsyncZod {
  const { accounts, config, database, now } = services;
  const { db } = database;

  async function invitationUrl(person: Person): Promise<string> {
    const url = new URL('/invitation', config.dashboardUrl);
    url.searchParams.set('token', await accounts.createPasswordToken(person));
    return url.href;
  }

  return async (app) => {
    app.get(
      '/v1/people',
      {
        config: { can: 'people.manage' },
        schema: { tags: ['people'], summary: 'Everybody with an account', response: { 200: peopleSchema } },
      },
      async () => ({ items: await listPeople(db) }),
    );

    app.post(
      '/v1/people',
      {
        config: forAdmins,
        schema: {
          tags: ['people'],
          summary: 'Invite somebody: answers a link to hand over, which works once within three days',
          description: 'Inviting an admin needs a TOTP code proved within 15 minutes.',
          body: invitationSchema.strict(),
          response: { 201: invitedSchema },
        },
      },
      async (request, reply) => {
        const { email, name, role } = request.body;
        if (role === 'admin') requireStepUp(request, now());
        const made = await accounts.auth.api
          .createUser({ body: { email, name: name || email, role, data: { emailVerified: true } } })
          .catch((error: unknown) => {
            throw asProblem(error);
          });
        await recordAccountEvent(db, {
          actor: actorOf(request),
          action: 'person.invited',
          email,
          changes: [{ field: 'role', before: null, after: role }],
          nowMs: now(),
        });
        const person = await personById(db, made.user.id);
        return reply.status(201).send({ person, invitation_url: await invitationUrl(person) });
      },
    );

    app.post(
      '/v1/people/:id/link',
      {
        config: forAdmins,
        schema: {
          tags: ['people'],
          summary: 'A new link for somebody to set a password with; an authenticator stays asked for',
          params: personParams,
          body: z.object({}).strict().nullish(),
          response: { 201: invitedSchema },
        },
      },
      async (request, reply) => {
        const person = await personById(db, request.params.id);
        if (person.role === 'admin') requireStepUp(request, now());
        const answer = { person, invitation_url: await invitationUrl(person) };
        await recordAccountEvent(db, {
          actor: actorOf(request),
          action: 'person.link_made',
          email: person.email,
          nowMs: now(),
        });
        return reply.status(201).send(answer);
      },
    );

    app.patch(
      '/v1/people/:id',
      {
        config: forAdmins,
        schema: {
          tags: ['people'],
          summary: 'Give a role, disable or enable an account',
          description: 'Giving the role admin needs a TOTP code proved within 15 minutes. The last admin stays one.',
          params: personParams,
          body: personChangeSchema,
          response: { 200: personSchema },
        },
      },
      async (request) => {
        const { id } = request.params;
        const { role, disabled } = request.body;
        const before = await personById(db, id);
        if (role === 'admin' && before.role !== 'admin') requireStepUp(request, now());
        await changePerson(db, id, request.body, now());
        const actor = actorOf(request);
        const nowMs = now();
        if (role !== undefined && role !== before.role) {
          const changes = [{ field: 'role', before: before.role, after: role }];
          await recordAccountEvent(db, { actor, action: 'person.role_changed', email: before.email, changes, nowMs });
        }
        if (disabled !== undefined && disabled !== (before.status === 'disabled')) {
          const action = disabled ? 'person.disabled' : 'person.enabled';
          const changes = [{ field: 'disabled', before: !disabled, after: disabled }];
          await recordAccountEvent(db, { actor, action, email: before.email, changes, nowMs });
        }
        return personById(db, id);
      },
    );
  };
}
