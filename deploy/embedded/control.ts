import { z } from 'zod';
import { StartProblem } from './problem.ts';

const bootstrapSchema = z.object({ sign_in_url: z.url(), collector_key: z.string().nullable() });
const linkSchema = z.object({ sign_in_url: z.url() });

/** How this program talks to query-api: by the token that both read from a file. */
export interface Control {
  queryApiUrl: string;
  token: string;
}

/**
 * A sign-in link, and a collector key: always when `issueKey`, else only when the registry has none that works yet.
 * @throws StartProblem when query-api does not answer as agreed
 */
export async function bootstrap(
  control: Control,
  issueKey: boolean,
): Promise<{ signInUrl: string; collectorKey: string | null }> {
  const answer = bootstrapSchema.parse(await post(control, '/internal/bootstrap', { issue_collector_key: issueKey }));
  return { signInUrl: answer.sign_in_url, collectorKey: answer.collector_key };
}

/** A new one-time sign-in link. */
export async function newSignInUrl(control: Control): Promise<string> {
  return linkSchema.parse(await post(control, '/internal/sign-in-links', {})).sign_in_url;
}

const TIMEOUT_MS = 30_000;

async function post(control: Control, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${control.queryApiUrl}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${control.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new StartProblem(`query-api refused ${path} with ${response.status}: ${text.slice(0, 300)}`);
  }
  return JSON.parse(text) as unknown;
}
