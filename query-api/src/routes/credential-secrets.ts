import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  credentialLogSchema,
  credentialRefuseSchema,
  credentialRegenerateSchema,
  credentialRevokedSchema,
  credentialRevokeSchema,
  credentialRotatedSchema,
  credentialRotateSchema,
  drainSchema,
  impactQuerySchema,
  impactSchema,
  pageQuerySchema,
} from '../../contract/index.ts';
import type { CredentialRotated } from '../../contract/index.ts';
import { actorOf, principalOf, requireStepUp } from '../http/session-auth.ts';
import { ANSWERED_BY_REVOKING, readOpenOn } from '../registry/answers.ts';
import { checkedNames } from '../registry/draft.ts';
import { readDrain } from '../registry/drain.ts';
import { refuseRawKeys } from '../registry/fields.ts';
import { hitByEnd, readImpact } from '../registry/impact.ts';
import { readLog } from '../registry/log.ts';
import { refuseKey } from '../registry/register.ts';
import { revokeCredential } from '../registry/revoke.ts';
import { replaceSecret } from '../registry/rotate.ts';
import type { Rotation } from '../registry/rotate.ts';
import { isLive, secretItemOf } from '../registry/secrets.ts';
import type { SecretRow } from '../registry/secrets.ts';
import { warningsOf } from '../registry/warnings.ts';
import type { Services } from '../services/services.ts';
import { credentialAnswers } from './credential-answers.ts';
import { credentialParams } from './credentials.ts';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';

/** Secrets of a credential over its life: rotate, regenerate, revoke, and who is touched by it. */
export function credentialSecretRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, tokens, config, now } = services;
  const { db } = database;
  const answers = credentialAnswers(services);

  async function rotated(rotation: Rotation, log: FastifyBaseLogger): Promise<CredentialRotated> {
    const isPublished = await answers.published(rotation.outboxId);
    return {
      credential: await answers.detailNow(rotation.row, rotation.secrets, log),
      secret: rotation.secret,
      previous: secretItemOf(rotation.row, rotation.previous, now()),
      published: isPublished,
      warnings: warningsOf(rotation.row),
    };
  }

  /**
   * The person who replaces the secret of their own personal API token: it stays one. A token can't make tokens, and one of access admin
   * takes the proof that issuing it took.
   */
  async function tokenOwner(request: FastifyRequest, id: string): Promise<string | undefined> {
    const { via, person } = principalOf(request);
    const access = via === 'session' ? await tokens.access(id, person.id) : null;
    if (access === 'admin') requireStepUp(request, now());
    return access === null ? undefined : person.id;
  }

  /** How many open findings a revocation would resolve, or did. */
  async function openOn(
    { hint, org }: { hint: string; org: string },
    secrets: readonly Pick<SecretRow, 'fingerprint'>[],
    log: FastifyBaseLogger,
  ): Promise<number> {
    const fingerprints = secrets.map(({ fingerprint }) => fingerprint);
    return readOpenOn(store, db, { fingerprints, hint, org }, ANSWERED_BY_REVOKING).then(
      (open) => open.length,
      (error: unknown) => {
        log.warn({ err: error }, 'findings of a key to be revoked not read');
        return 0;
      },
    );
  }

  return async (app) => {
    app.post(
      '/v1/credentials/:id/rotate',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Give it a new secret; the old one stays valid for a grace, 0 by default, never past its expiry',
          params: credentialParams,
          body: credentialRotateSchema.strict(),
          response: { 200: credentialRotatedSchema },
        },
      },
      async (request) => {
        const { params, body: input, log } = request;
        const who = { actor: actorOf(request), tokenOwnerId: await tokenOwner(request, params.id) };
        return rotated(await replaceSecret(db, { id: params.id, act: 'rotated', input, ...who, nowMs: now() }), log);
      },
    );

    app.post(
      '/v1/credentials/:id/regenerate',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'The same key and ID with a new secret; every older secret is dead at once',
          params: credentialParams,
          body: credentialRegenerateSchema.strict(),
          response: { 200: credentialRotatedSchema },
        },
      },
      async (request) => {
        const { params, body, log } = request;
        const input = { ...body, grace_seconds: 0 };
        const who = { actor: actorOf(request), tokenOwnerId: await tokenOwner(request, params.id) };
        const replacement = { id: params.id, act: 'regenerated', input, ...who, nowMs: now() } as const;
        return rotated(await replaceSecret(db, replacement), log);
      },
    );

    app.post(
      '/v1/credentials/:id/revoke',
      {
        config: { can: 'credentials.revoke' },
        schema: {
          tags: ['registry'],
          summary: 'Revoke for ever, with every secret that is still valid',
          params: credentialParams,
          body: credentialRevokeSchema.strict(),
          response: { 200: credentialRevokedSchema },
        },
      },
      async (request) => {
        const { params, body, log } = request;
        refuseRawKeys(body);
        const { row: before, secrets } = await answers.find(params.id);
        const resolved = await openOn(before, secrets, log);
        const revoked = await revokeCredential(db, { id: params.id, ...body, actor: actorOf(request), nowMs: now() });
        const isPublished = await answers.published(revoked.outboxId);
        return { ...(await answers.itemNow(revoked.row)), published: isPublished, findings_resolved: resolved };
      },
    );

    app.post(
      '/v1/credentials/refuse',
      {
        config: { can: 'credentials.revoke' },
        schema: {
          tags: ['registry'],
          summary:
            'Put a provider’s key that nobody registered on record as revoked, by fingerprint or by hint and org',
          body: credentialRefuseSchema.strict(),
          response: { 201: credentialRevokedSchema },
        },
      },
      async (request, reply) => {
        const { body, log } = request;
        const onFault = (error: unknown): void => log.warn({ err: error }, 'findings of a refused key not read');
        refuseRawKeys(body);
        const { fingerprint, hint } = checkedNames(body, []);
        const resolved = await openOn({ hint, org: body.org }, [{ fingerprint }], log);
        const parts = { db, store, modules: config.modules, nowMs: now(), onFault };
        const { row, outboxId } = await refuseKey(parts, body, actorOf(request));
        const isPublished = await answers.published(outboxId);
        void reply.status(201);
        return { ...(await answers.itemNow(row)), published: isPublished, findings_resolved: resolved };
      },
    );

    app.get(
      '/v1/credentials/:id/impact',
      {
        schema: {
          tags: ['registry'],
          summary:
            'Who of the last 7 days would be hit by revoking, rotating or regenerating. For edits: PATCH with dry_run',
          params: credentialParams,
          querystring: impactQuerySchema.strict(),
          response: { 200: impactSchema },
        },
      },
      async ({ params, query, log }) => {
        const { row, secrets } = await answers.find(params.id);
        const nowMs = now();
        const onFault = (error: unknown): void => log.warn({ err: error }, 'impact not read');
        // Rotating touches users of the present secret; regenerating and revoking those of every one that still works.
        const touched = secrets.filter((secret) =>
          query.act === 'rotate' ? secret.replaced_at === null : isLive(secret, nowMs),
        );
        const resolved = query.act === 'revoke' ? await openOn(row, secrets, log) : 0;
        return readImpact({ store, nowMs, onFault }, { row, secrets: touched }, hitByEnd(row, query.act), resolved);
      },
    );

    app.get(
      '/v1/credentials/:id/drain',
      {
        schema: {
          tags: ['registry'],
          summary: 'Who still uses secrets that were rotated out',
          params: credentialParams,
          response: { 200: drainSchema },
        },
      },
      async ({ params, log }) => {
        const { row, secrets } = await answers.find(params.id);
        const onFault = (error: unknown): void => log.warn({ err: error }, 'drain not read');
        return readDrain({ store, nowMs: now(), onFault }, row, secrets);
      },
    );

    app.get(
      '/v1/credentials/:id/log',
      {
        schema: {
          tags: ['registry'],
          summary: 'Everything that was done to it, newest first; it outlives the key',
          params: credentialParams,
          querystring: pageQuerySchema.strict(),
          response: { 200: credentialLogSchema },
        },
      },
      async ({ params, query }) => {
        await answers.find(params.id);
        return readLog(db, params.id, query);
      },
    );
  };
}
