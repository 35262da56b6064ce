import { Readable } from 'node:stream';
import { z } from 'zod';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import {
  EXPORT_HEADER,
  exportReceiptSchema,
  exportRequestSchema,
  exportsPageSchema,
  pageQuerySchema,
  signingKeySchema,
} from '../../contract/index.ts';
import { beginExport } from '../exports/export.ts';
import { readReceipt, readReceipts } from '../exports/list.ts';
import { readSigningKey, setUpSigning } from '../exports/signing.ts';
import { fileContents } from '../http/openapi.ts';
import { actorOf } from '../http/session-auth.ts';
import type { Services } from '../services/services.ts';

const TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
} as const;

const FILE = { description: 'The file, in the format that was asked for', content: fileContents(Object.values(TYPES)) };

/** Files for people outside, their receipts, and the pair that receipts are signed with. */
export function exportRoutes({ config, database: { db }, now, store }: Services): FastifyPluginAsyncZod {
  const exporting = { can: 'query' } as const;

  return async (app) => {
    app.post(
      '/v1/exports',
      {
        config: exporting,
        schema: {
          tags: ['audit'],
          summary: 'Export registry, activity, audit trail or ledger; the answer is the file',
          description: `Its receipt is stored when the last byte has left; the header ${EXPORT_HEADER} names it. A file that ends early has none.`,
          body: exportRequestSchema,
          response: { 200: FILE },
        },
      },
      async (request, reply) => {
        const { id, fileName, bytes } = beginExport(
          { db, store, authSecret: config.authSecret, now },
          request.body,
          actorOf(request),
        );
        return reply
          .header('content-type', TYPES[request.body.format])
          .header('content-disposition', `attachment; filename="${fileName}"`)
          .header(EXPORT_HEADER, id)
          .send(Readable.from(bytes, { objectMode: false }));
      },
    );

    app.get(
      '/v1/exports',
      {
        config: exporting,
        schema: {
          tags: ['audit'],
          summary: 'Latest export receipts',
          querystring: pageQuerySchema.strict(),
          response: { 200: exportsPageSchema },
        },
      },
      async ({ query }) => readReceipts(db, query),
    );

    app.get(
      '/v1/exports/:id',
      {
        config: exporting,
        schema: {
          tags: ['audit'],
          summary: 'One receipt, as a file to keep beside the export',
          params: z.object({ id: z.string().max(64) }),
          response: { 200: exportReceiptSchema },
        },
      },
      async ({ params }) => readReceipt(db, params.id),
    );

    app.get(
      '/v1/signing-key',
      { schema: { tags: ['audit'], summary: 'The pair that signs receipts', response: { 200: signingKeySchema } } },
      async () => readSigningKey(db),
    );

    app.post(
      '/v1/signing-key',
      {
        config: { can: 'organisation.manage' },
        schema: {
          tags: ['audit'],
          summary: 'The one-time set-up of key signing; refused a second time',
          body: z.object({}).strict().nullish(),
          response: { 201: signingKeySchema },
        },
      },
      async (request, reply) => {
        const made = await setUpSigning(db, config.authSecret, { actor: actorOf(request), nowMs: now() });
        return reply.status(201).send(made);
      },
    );
  };
}
