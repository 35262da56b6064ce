import { z } from 'zod';
import { dollarsSchema, instantSchema } from './common.ts';
import { credentialImportedSchema } from './credential-import.ts';

/** `GET /v1/imports`: the providers whose admin interface can be read. */
export const importsSchema = z.object({
  items: z.array(
    z.object({
      provider: z.string(),
      is_set: z.boolean().describe('Whether its admin key is set'),
      setting: z.string().describe('The setting that names the file with the key'),
      registers: z.boolean().describe('Whether the job registers new keys; else it only tells of them'),
      billed_until: instantSchema.nullable().describe('When what the provider counted was read last'),
      billed_usd: dollarsSchema.describe('What it counted in the last seven days, at list prices'),
    }),
  ),
});
export type Imports = z.infer<typeof importsSchema>;

/** `POST /v1/imports/{provider}`: reads the provider's keys and registers those that are new; by default it only says which. */
export const importKeysSchema = z.object({
  dry_run: z.boolean().default(true).describe('Say what would change and change nothing'),
  org: z.string().trim().max(200).default('').describe('Organisation that events of these keys name'),
});

export const importedKeysSchema = z.object({
  imported: credentialImportedSchema,
  inactive: z.number().int().describe('Keys that the provider has ended; they are not imported'),
  hidden: z.number().int().describe('Keys that the provider shows no masked form of; they are not imported'),
  /** By the line of `imported.items`: the one lane that is used under this masked form. */
  lanes: z.array(
    z.object({ line: z.number().int(), lane: z.string(), events: z.number().int(), cost_usd: dollarsSchema }),
  ),
});
export type ImportedKeys = z.infer<typeof importedKeysSchema>;
