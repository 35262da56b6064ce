import { z } from 'zod';

const httpUrl = (fallback: string) =>
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .default(fallback)
    .transform((text) => text.replace(/\/+$/, ''));

/** Everything the dashboard takes from its environment. DASHBOARD_* are read by the HTTP server, the others by the pages. */
export const configSchema = z.object({
  DASHBOARD_HOST: z.string().min(1).default('127.0.0.1'),
  DASHBOARD_PORT: z.coerce.number().int().min(0).max(65_535).default(4600),
  /** Seconds that open requests get after SIGTERM. */
  DASHBOARD_SHUTDOWN_TIMEOUT: z.coerce.number().int().min(0).default(5),
  QUERY_API_URL: httpUrl('http://127.0.0.1:4610'),
  /** Shown to people as the address that collectors send to. */
  INGEST_URL: httpUrl('http://127.0.0.1:4618'),
});
export type Config = z.infer<typeof configSchema>;

/**
 * Reads the environment.
 * @throws Error naming every variable that is wrong, and how
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const result = configSchema.safeParse(environment);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The dashboard's configuration is wrong. ${problems.join('; ')}`);
}
