import { z } from 'zod';
import { instantSchema } from './common.ts';

/** What a personal API token may do here, each all that those before it may; never more than its owner. */
export const TOKEN_ACCESS = ['read', 'write', 'admin'] as const;
const tokenAccessSchema = z.enum(TOKEN_ACCESS);
export type TokenAccess = z.infer<typeof tokenAccessSchema>;

export const tokenItemSchema = z.object({
  id: z.string().describe('Id of its credential in the registry'),
  name: z.string(),
  hint: z.string(),
  access: tokenAccessSchema,
  created_at: instantSchema,
  expires_at: instantSchema.nullable(),
  last_used_at: instantSchema.nullable(),
  status: z.enum(['active', 'expired', 'revoked']),
});
export type TokenItem = z.infer<typeof tokenItemSchema>;
/** `GET /v1/me/tokens` */
export const tokensSchema = z.object({ items: z.array(tokenItemSchema) });

/** `POST /v1/me/tokens` */
export const tokenCreateSchema = z.object({
  name: z.string().trim().min(1).max(200),
  access: tokenAccessSchema.describe(
    'read: what analysts may; write: what responders may; admin: all, which needs a TOTP proof',
  ),
  expires_in_days: z.number().int().min(1).max(365).default(90),
});
/** The secret is in this answer and never again. */
export const tokenCreatedSchema = z.object({ token: tokenItemSchema, secret: z.string() });
