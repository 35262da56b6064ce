import { parseArgs } from 'node:util';
import { importedKeysSchema, SESSION_COOKIE } from '@lanewatch/query-api/contract';
import { newSignInUrl } from './control.ts';
import { controlOfRunning } from './running.ts';

/** A provider with many keys is read page by page. */
const TIMEOUT_MS = 120_000;

/** `npm run -s lanewatch -- import PROVIDER`: what a provider's admin interface tells of, and registers it when that is asked for. */
try {
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { org: { type: 'string', default: '' }, register: { type: 'boolean', default: false } },
  });
  const [provider] = positionals;
  if (provider === undefined || positionals.length > 1) throw new Error('Name one provider: anthropic, openai.');
  const { control } = controlOfRunning(process.env);
  const cookie = await signIn(control.queryApiUrl, await newSignInUrl(control));
  try {
    const body = { org: values.org, dry_run: !values.register };
    const answer = await post(`${control.queryApiUrl}/v1/imports/${encodeURIComponent(provider)}`, body, cookie);
    say(importedKeysSchema.parse(await answer.json()));
  } finally {
    await post(`${control.queryApiUrl}/v1/sign-out`, {}, cookie);
  }
}

/** One line a key, and what was left out. */
function say({ imported, inactive, hidden, lanes }: ReturnType<typeof importedKeysSchema.parse>): void {
  for (const { line, outcome, name, hint, errors } of imported.items) {
    const lane = lanes.find((one) => one.line === line);
    const use = lane === undefined ? '' : `, in use: ${lane.events} events, $${lane.cost_usd}`;
    const reasons = errors.map(({ message }) => `: ${message}`).join('');
    // Names come from outside: as JSON they move no cursor.
    console.log(`${outcome.padEnd(10)} ${hint}  ${JSON.stringify(name)}${use}${reasons}`);
  }
  const { registered, present, bad } = imported.totals;
  console.log(
    `${registered} new, ${present} there already, ${bad} bad; ${inactive} ended, ${hidden} without a masked form.`,
  );
  if (imported.dry_run && registered > 0) console.log('Nothing was changed: --register registers them.');
}

/** A session by a one-time link, as its cookie. */
async function signIn(queryApiUrl: string, signInUrl: string): Promise<string> {
  const link = new URL(signInUrl).searchParams.get('link');
  const answer = await post(`${queryApiUrl}/v1/sign-in`, { link }, '');
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith(`${SESSION_COOKIE}=`));
  if (cookie === undefined) throw new Error('query-api began no session; its log says why.');
  return cookie.split(';', 1)[0]!;
}

async function post(url: string, body: unknown, cookie: string): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.ok) return response;
  const { title, detail } = (await response.json()) as { title?: string; detail?: string };
  throw new Error(detail ?? title ?? `query-api answered ${response.status}.`);
}
