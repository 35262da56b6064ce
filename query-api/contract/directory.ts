import { z } from 'zod';
import { instantSchema } from './common.ts';

/** What keys belong to: projects, teams, and the service accounts that own them. Keys name them; names are unique per kind. */
export const DIRECTORY_KINDS = ['project', 'team', 'service_account'] as const;
export type DirectoryKind = (typeof DIRECTORY_KINDS)[number];

const text = (max: number) => z.string().trim().max(max);

/** `POST /v1/projects`, `/v1/teams`, `/v1/service-accounts` */
export const directoryCreateSchema = z
  .object({
    name: text(200).min(1),
    description: text(500).default(''),
    owner: text(200).default('').describe('The person who answers for it; required for a service account'),
  })
  .meta({ examples: [{ name: 'pipeline', description: 'Runs the nightly agents', owner: 'ada@example.com' }] });

/** `PATCH …/{name}` */
export const directoryEditSchema = z.object({
  name: text(200).min(1).optional().describe('Its new name; keys, policies and channels that name it follow'),
  description: text(500).optional(),
  owner: text(200).optional(),
  archived: z.boolean().optional().describe('true: no longer offered for new keys'),
});

export const directoryItemSchema = z.object({
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  created_at: instantSchema.nullable().describe('null: it is only named by keys'),
  created_by: z.string(),
  archived_at: instantSchema.nullable(),
  keys: z.number().int(),
  keys_active: z.number().int(),
});
export type DirectoryItem = z.infer<typeof directoryItemSchema>;
export const directorySchema = z.object({ items: z.array(directoryItemSchema) });
export type Directory = z.infer<typeof directorySchema>;

/** `GET /v1/owners`: who may answer for a key, as forms offer them. */
export const ownersSchema = z.object({
  items: z.array(
    z.object({
      owner: z.string().describe('An e-mail address, or the name of a service account'),
      kind: z.enum(['person', 'service_account']),
      label: z.string().describe('Name of the person, or what the service account is for'),
    }),
  ),
});
export type Owners = z.infer<typeof ownersSchema>;
