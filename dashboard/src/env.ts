import { defineEnvVars } from '@sveltejs/kit/env';
import { configSchema } from './config.ts';

/** What pages read through `$app/env/private`; see config.ts for meaning and defaults. */
export const variables = defineEnvVars({
  QUERY_API_URL: { schema: configSchema.shape.QUERY_API_URL },
  INGEST_URL: { schema: configSchema.shape.INGEST_URL },
});
