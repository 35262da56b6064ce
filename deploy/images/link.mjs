// Prints a sign-in link, and the first time a collector key, in an installation whose parts are containers:
//   docker compose run --rm link      kubectl exec deploy/lanewatch-query-api -- node deploy/images/link.mjs
import { readFileSync } from 'node:fs';

const { QUERY_API_URL = 'http://127.0.0.1:4610', CONTROL_TOKEN_FILE = '', INGEST_URL = '' } = process.env;
try {
  const answer = await fetch(`${QUERY_API_URL}/internal/bootstrap`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${readFileSync(CONTROL_TOKEN_FILE, 'utf8').trim()}`,
      'content-type': 'application/json',
    },
    body: '{}',
    signal: AbortSignal.timeout(30_000),
  });
  if (!answer.ok) throw new Error(`query-api answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  const { sign_in_url: link, collector_key: key } = await answer.json();
  if (key) console.log(`Collector key (shown this once; it may send events and nothing else)\n  ${key}\n`);
  if (INGEST_URL !== '') console.log(`Events to ${INGEST_URL}\n`);
  console.log(`Sign in (once, within a day; run this again for another link)\n  ${link}`);
} catch (error) {
  console.error(`No sign-in link: ${error.message}`);
  process.exitCode = 1;
}
