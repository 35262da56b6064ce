import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Bodies that a real Claude Code sent; the copies that ingest's own tests use, described in SOURCE.txt there. */
const FIXTURES = join(import.meta.dirname, '..', '..', 'ingest', 'src', 'formats', 'claude-code', 'fixtures');

export const SESSIONS = {
  json: 'f53749e0-4af2-473a-83a6-2ee55bf8d736',
  gzip: 'f684e23a-592e-41fd-b5b0-6c84be3a5527',
} as const;

export function captured(name: string): Buffer<ArrayBuffer> {
  return readFileSync(join(FIXTURES, name));
}

interface Logs {
  resourceLogs: {
    resource: { attributes: { key: string; value: { stringValue: string } }[] };
    scopeLogs: {
      logRecords: { timeUnixNano: string; attributes: { key: string; value: Record<string, unknown> }[] }[];
    }[];
  }[];
}

/**
 * The captured JSON body as the same client would send it now with the environment block of `npm start`: key and repository as
 * resource attributes, a session and request of its own.
 */
export function withKey(options: {
  fingerprint: string;
  hint: string;
  repo: string;
  session: string;
  atMs: number;
}): string {
  const logs = JSON.parse(captured('v2.1.197-logs-api_request.http-json.json').toString('utf8')) as Logs;
  const { fingerprint, hint, repo, session, atMs } = options;
  for (const { resource, scopeLogs } of logs.resourceLogs) {
    for (const [key, value] of Object.entries({
      'apikey.fingerprint': fingerprint,
      'apikey.hint': hint,
      'vcs.repository.name': repo,
    })) {
      resource.attributes.push({ key, value: { stringValue: value } });
    }
    for (const record of scopeLogs.flatMap(({ logRecords }) => logRecords)) {
      record.timeUnixNano = String(BigInt(atMs) * 1_000_000n);
      for (const attribute of record.attributes) {
        if (attribute.key === 'session.id') attribute.value = { stringValue: session };
        if (attribute.key === 'event.timestamp') attribute.value = { stringValue: new Date(atMs).toISOString() };
        if (attribute.key === 'request_id') attribute.value = { stringValue: `req_${session.replaceAll('-', '')}` };
      }
    }
  }
  return JSON.stringify(logs);
}
