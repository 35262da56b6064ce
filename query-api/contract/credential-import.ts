import { z } from 'zod';

/** Columns of an import, in any order; `fingerprint`, or `hint` and `org`, name the key. */
export const IMPORT_COLUMNS = [
  'name',
  'fingerprint',
  'hint',
  'provider',
  'org',
  'project',
  'owner',
  'owner_kind',
  'team',
  'module',
  'environment',
  'sharing',
  'people_declared',
  'expires_at',
  'allowed_cidrs',
  'expected_agents',
  'expected_repos',
  'budget_usd',
  'budget_period',
] as const;
export const IMPORT_LINES_MAX = 5_000;

/** `POST /v1/credentials/import`: registers many keys that exist already. Lists inside a cell are parted by blanks or `;`. */
export const credentialImportSchema = z
  .object({
    csv: z.string().min(1).max(2_000_000).describe(`Header line and at most ${IMPORT_LINES_MAX} lines`),
    dry_run: z.boolean().default(true).describe('Say what would change and change nothing'),
  })
  .meta({
    examples: [
      {
        csv: 'name,hint,org,owner,owner_kind\nNightly report,sk-ant-api03-R2D...igAA,acme,ada@example.com,person\n',
        dry_run: true,
      },
    ],
  });

export const credentialImportedSchema = z.object({
  dry_run: z.boolean(),
  totals: z.object({
    lines: z.number().int(),
    registered: z.number().int().describe('New keys; of a dry run those that would be'),
    present: z.number().int().describe('In the registry already, and left as they are'),
    bad: z.number().int(),
    weakly_governed: z.number().int().describe('New keys without owner or organisation'),
  }),
  items: z.array(
    z.object({
      line: z.number().int().describe('In the file, the header being line 1'),
      outcome: z.enum(['registered', 'present', 'bad']),
      name: z.string(),
      hint: z.string(),
      fingerprint: z.string(),
      credential_id: z.string().describe('Empty for what is not there'),
      weakly_governed: z.boolean(),
      errors: z.array(z.object({ path: z.string(), message: z.string() })),
    }),
  ),
  findings_resolved: z.number().int(),
  published: z.boolean(),
});
export type CredentialImported = z.infer<typeof credentialImportedSchema>;
