import { z } from 'zod';
import { instantSchema } from './common.ts';
import { newPasswordSchema } from './account.ts';
import { roleSchema } from './roles.ts';

export const personSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  status: z.enum(['active', 'invited', 'disabled']),
  totp_enabled: z.boolean(),
  created_at: instantSchema,
  last_seen_at: instantSchema.nullable().describe('Last use of a session; null when none is left'),
});
export type Person = z.infer<typeof personSchema>;
/** `GET /v1/people` */
export const peopleSchema = z.object({ items: z.array(personSchema) });

/** `POST /v1/people`: invites somebody. */
export const invitationSchema = z.object({
  email: z.email().max(254).toLowerCase(),
  name: z.string().trim().max(120).default(''),
  role: roleSchema,
});
/** The link is in this answer and never again. It works once, within three days. */
export const invitedSchema = z.object({ person: personSchema, invitation_url: z.string() });

/** `PATCH /v1/people/{id}` */
export const personChangeSchema = z
  .object({ role: roleSchema, disabled: z.boolean() })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something: role or disabled');

/** `POST /v1/invitations/look` */
export const invitationTokenSchema = z.object({ token: z.string().min(1).max(200) });
/** Whom an invitation is for. */
export const invitationLookSchema = z.object({ email: z.string(), name: z.string(), role: roleSchema });
/** `POST /v1/invitations/accept` */
export const invitationAcceptSchema = invitationTokenSchema.extend({
  name: z.string().trim().min(1).max(120),
  password: newPasswordSchema,
});
