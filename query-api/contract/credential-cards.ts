import { z } from 'zod';
import { SEVERITIES } from './common.ts';
import { environmentSchema, usageFields } from './credential-fields.ts';

/** `GET /v1/credentials/modules`: keys by what they are for. */
export const modulesSchema = z.object({
  items: z.array(
    z.object({
      module: z.string().describe('Empty: keys without a module'),
      label: z.string(),
      keys: z.number().int(),
      active: z.number().int(),
      ...usageFields,
      risk: z.object({
        level: z.enum(SEVERITIES),
        reasons: z.array(z.object({ code: z.string(), keys: z.number().int(), message: z.string() })),
      }),
    }),
  ),
});
export type Modules = z.infer<typeof modulesSchema>;

/** `GET /v1/credentials/environments` */
export const environmentsSchema = z.object({
  items: z.array(
    z.object({ environment: environmentSchema, keys: z.number().int(), active: z.number().int(), ...usageFields }),
  ),
});
export type Environments = z.infer<typeof environmentsSchema>;
