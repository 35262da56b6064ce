import { z } from 'zod';
import type { ImportSettings } from './imports.ts';
import { PROVIDERS } from './provider.ts';
import type { ProviderName } from './provider.ts';

/** What imports read from the environment, as part of query-api's configuration. */
export const importSettings = {
  ANTHROPIC_ADMIN_KEY_FILE: z
    .string()
    .optional()
    .describe('File (mode 0600) with an admin key of the Anthropic organization: its keys and usage are imported'),
  OPENAI_ADMIN_KEY_FILE: z
    .string()
    .optional()
    .describe('File (mode 0600) with an admin key of the OpenAI organization: its keys and usage are imported'),
  ANTHROPIC_ADMIN_URL: z.url().default('https://api.anthropic.com').describe('Where Anthropic’s admin interface is'),
  OPENAI_ADMIN_URL: z.url().default('https://api.openai.com').describe('Where OpenAI’s admin interface is'),
  IMPORT_ORG: z.string().max(200).default('').describe('Organisation that events of imported keys name'),
  IMPORT_KEYS: z
    .enum(['report', 'register'])
    .default('report')
    .describe('Whether the hourly import registers new keys, or only says how many there are'),
};

const KEY_CHARS_MIN = 12;
type AdminKeys = Readonly<Record<ProviderName, string | null>>;

/** The admin keys. @param secretIn reads the file that a setting names; null where it names none */
export function adminKeysIn(secretIn: (setting: string, charsMin: number) => string | null): AdminKeys {
  return {
    anthropic: secretIn('ANTHROPIC_ADMIN_KEY_FILE', KEY_CHARS_MIN),
    openai: secretIn('OPENAI_ADMIN_KEY_FILE', KEY_CHARS_MIN),
  };
}

/** The settings as imports work with them. */
export function importsOf(
  env: Pick<
    z.output<z.ZodObject<typeof importSettings>>,
    'ANTHROPIC_ADMIN_URL' | 'OPENAI_ADMIN_URL' | 'IMPORT_ORG' | 'IMPORT_KEYS'
  >,
  keys: AdminKeys,
): ImportSettings {
  const urls = { anthropic: env.ANTHROPIC_ADMIN_URL, openai: env.OPENAI_ADMIN_URL };
  const access: ImportSettings['access'] = Object.fromEntries(
    PROVIDERS.flatMap((provider) => {
      const key = keys[provider];
      return key === null ? [] : [[provider, { url: urls[provider], key }]];
    }),
  );
  return { access, org: env.IMPORT_ORG, registers: env.IMPORT_KEYS === 'register' };
}
