import { z } from 'zod';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { isPrivileged } from '@lanewatch/ingest/contract';
import {
  credentialCreatedSchema,
  credentialCreateSchema,
  credentialDetailSchema,
  credentialEditedSchema,
  credentialEditSchema,
  credentialImportedSchema,
  credentialImportSchema,
  credentialsPageSchema,
  credentialsQuerySchema,
  IDEMPOTENCY_HEADER,
  preflightAnswerSchema,
} from '../../contract/index.ts';
import type { CredentialCreated, PreflightAnswer } from '../../contract/index.ts';
import { actorOf, requireStepUp } from '../http/session-auth.ts';
import { dollarsOf } from '../ledger/money.ts';
import { isListed } from '../registry/directory.ts';
import { draftCredential } from '../registry/draft.ts';
import { importCredentials } from '../registry/import.ts';
import { changesBetween, editCredential, editedRow, widensPrivilege } from '../registry/edit.ts';
import { hitByEdit, readImpact } from '../registry/impact.ts';
import { listCredentials } from '../registry/list.ts';
import { refuseOutdated } from '../registry/registry.ts';
import { openBefore, registerCredential, registerOnce } from '../registry/register.ts';
import type { CredentialRow } from '../registry/record.ts';
import { readSpend, totalOf } from '../registry/spend.ts';
import { preflightOf, warningsOf } from '../registry/warnings.ts';
import { createSecretMemory } from '../registry/secret-memory.ts';
import type { Services } from '../services/services.ts';
import { credentialAnswers } from './credential-answers.ts';

export const credentialParams = z.object({ id: z.string().min(1).max(64) });
const idempotencyHeaders = z.object({
  [IDEMPOTENCY_HEADER]: z
    .string()
    .min(8)
    .max(200)
    .optional()
    .describe('The same request under the same key makes one credential'),
});
/** A file of thousands of keys. */
const IMPORT_BYTES_MAX = 4 * 1024 * 1024;
const SPEND_WINDOW_MS = 30 * 86_400_000;

/** The registry: list, one, create, change. */
export function credentialRoutes(services: Services): FastifyPluginAsyncZod {
  const { store, database, registry, lastUses, config, now } = services;
  const { db } = database;
  const { modules, keysMax } = config;
  const answers = credentialAnswers(services);
  const secretsJustMade = createSecretMemory(now);

  async function preflight(row: CredentialRow, request: FastifyRequest): Promise<PreflightAnswer> {
    const snapshot = await registry.current();
    const lanes = snapshot.all
      .filter(({ owner }) => row.owner !== '' && owner === row.owner)
      .map((key) => key.record_key);
    const spend = await readSpend(store, lanes, now() - SPEND_WINDOW_MS).catch((error: unknown) => {
      request.log.warn({ err: error }, 'spend of an owner not read');
      return null;
    });
    const spendUsd = spend && dollarsOf(totalOf(spend).nanoUsd);
    const isOwnerListed = row.owner !== '' && (await isListed(db, 'service_account', row.owner));
    const present = preflightOf(row, { snapshot, nowMs: now(), keysMax, spendUsd, isOwnerListed });
    return {
      warnings: [...warningsOf(row), ...present.warnings],
      preflight: present.preflight,
      needs_step_up: isPrivileged(row.scopes),
    };
  }

  async function create(
    request: FastifyRequest<{ Body: z.output<typeof credentialCreateSchema> }>,
    reply: FastifyReply,
  ): Promise<CredentialCreated> {
    const actor = actorOf(request);
    if (isPrivileged(request.body.scopes ?? [])) requireStepUp(request, now());
    const key = request.headers[IDEMPOTENCY_HEADER];
    const idempotencyKey = typeof key === 'string' ? key : '';
    const onFault = (error: unknown): void => request.log.warn({ err: error }, 'findings of the new key not read');
    const parts = { db, store, modules, nowMs: now(), onFault };
    const added =
      idempotencyKey === ''
        ? await registerCredential(parts, request.body, actor)
        : await registerOnce(parts, request.body, actor, idempotencyKey);
    if ('repeated' in added) {
      void reply.status(200);
      return {
        credential: await answers.itemNow(added.repeated),
        secret: secretsJustMade.of(added.repeated.id),
        ...{ findings_resolved: 0, findings_lowered: 0, standing: 'known', published: true },
        warnings: warningsOf(added.repeated),
      };
    }
    if (idempotencyKey !== '' && added.secret !== null) secretsJustMade.keep(added.row.id, added.secret);
    const isPublished = await answers.published(added.outboxId);
    void reply.status(201);
    return {
      credential: await answers.itemNow(added.row),
      secret: added.secret,
      findings_resolved: added.findingsResolved,
      findings_lowered: added.findingsLowered,
      standing: added.standing,
      published: isPublished,
      warnings: warningsOf(added.row),
    };
  }

  return async (app) => {
    app.get(
      '/v1/credentials',
      {
        schema: {
          tags: ['registry'],
          summary: 'Managed and registered credentials with marks, newest first unless sorted otherwise',
          querystring: credentialsQuerySchema.strict(),
          response: { 200: credentialsPageSchema },
        },
      },
      async ({ query }) => {
        const snapshot = await registry.current();
        await lastUses.fresh();
        return listCredentials({ snapshot, lastUses, nowMs: now() }, query);
      },
    );

    app.post(
      '/v1/credentials',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Register a provider’s key by fingerprint or by hint and org, or issue a managed key',
          description:
            'A raw key is refused: hash it where it is typed. The secret of a managed key is in this answer and never again; a request that is sent again within a minute under the same Idempotency-Key answers 200 with the same.',
          headers: idempotencyHeaders,
          body: credentialCreateSchema.strict(),
          response: { 200: credentialCreatedSchema, 201: credentialCreatedSchema },
        },
      },
      create,
    );

    app.post(
      '/v1/credentials/preflight',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'What to know before a key is made: warnings, its owner’s present usage, the plan. Stores nothing',
          body: credentialCreateSchema.strict(),
          response: { 200: preflightAnswerSchema },
        },
      },
      async (request) => preflight(draftCredential(request.body, actorOf(request), now(), modules).row, request),
    );

    app.post(
      '/v1/credentials/import',
      {
        bodyLimit: IMPORT_BYTES_MAX,
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Register many keys that exist already from CSV; by default it only says what it would do',
          body: credentialImportSchema.strict(),
          response: { 200: credentialImportedSchema },
        },
      },
      async (request) => {
        const { body, log } = request;
        const onFault = (error: unknown): void => log.warn({ err: error }, 'findings of imported keys not read');
        const parts = { db, store, modules, nowMs: now(), onFault, snapshot: await registry.current() };
        const { outboxId, ...imported } = await importCredentials(parts, body, actorOf(request));
        return { ...imported, published: outboxId !== 0 && (await answers.published(outboxId)) };
      },
    );

    app.get(
      '/v1/credentials/:id',
      {
        schema: {
          tags: ['registry'],
          summary: 'One credential, its secrets over its life, and what it cost',
          params: credentialParams,
          response: { 200: credentialDetailSchema },
        },
      },
      async ({ params, log }) => {
        const { row, secrets } = await answers.find(params.id);
        return answers.detailNow(row, secrets, log);
      },
    );

    app.patch(
      '/v1/credentials/:id',
      {
        config: { can: 'credentials.write' },
        schema: {
          tags: ['registry'],
          summary: 'Change a credential, or with dry_run see who would be hit',
          params: credentialParams,
          body: credentialEditSchema.strict(),
          response: { 200: credentialEditedSchema },
        },
      },
      async (request) => {
        const { params, body, log } = request;
        const onFault = (error: unknown): void => log.warn({ err: error }, 'impact of a change not read');
        const { row: existing, secrets } = await answers.find(params.id);
        const nowMs = now();
        const wanted = editedRow(existing, body, nowMs, modules);
        if (body.dry_run) refuseOutdated(existing, body.version);
        const impact = await readImpact(
          { store, nowMs, onFault },
          { row: existing, secrets },
          hitByEdit(existing, wanted, nowMs),
        );
        if (body.dry_run) {
          return {
            credential: await answers.itemNow(wanted),
            dry_run: true,
            changes: changesBetween(existing, wanted),
            impact,
            needs_step_up: widensPrivilege(existing, wanted),
            published: false,
            warnings: warningsOf(wanted),
          };
        }
        const edited = await editCredential(db, {
          ...{ id: params.id, input: body, actor: actorOf(request), nowMs, modules },
          open: await openBefore({ db, store, onFault }, wanted),
          mayGrant: () => requireStepUp(request, nowMs),
        });
        return {
          credential: await answers.itemNow(edited.row),
          dry_run: false,
          changes: edited.changes,
          impact,
          needs_step_up: widensPrivilege(edited.before, edited.row),
          published: edited.changes.length === 0 || (await answers.published(edited.outboxId)),
          warnings: warningsOf(edited.row),
        };
      },
    );
  };
}
