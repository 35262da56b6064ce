import { lookup } from 'node:dns';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { isPrivateAddress } from './private-address.ts';

const ANSWER_TIMEOUT_MS = 10_000;

/** What came of one attempt. */
export interface Attempt {
  ok: boolean;
  /** Status, or why there is none; public. */
  detail: string;
}

const REFUSED = 'The address is a private one, which this Lanewatch does not send to.';

/**
 * Looks a host up for a connection, and refuses when any of its addresses is private: what is checked is what is connected to, so that a
 * name can't answer differently the second time.
 */
function lookUpPublic(
  host: string,
  options: LookupOptions,
  done: (error: Error | null, address: string | LookupAddress[], family?: number) => void,
): void {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, []);
    if (addresses.length === 0 || addresses.some(({ address }) => isPrivateAddress(address)))
      return done(new Error(REFUSED), []);
    const [{ address, family }] = addresses as [LookupAddress];
    return options.all === true ? done(null, addresses) : done(null, address, family);
  });
}

/**
 * Posts a body once. Redirects are not followed: one could lead anywhere.
 * @param options.allowPrivate whether private addresses may be sent to
 */
export function post(
  target: string,
  body: string,
  headers: Record<string, string>,
  options: { allowPrivate: boolean },
): Promise<Attempt> {
  const url = new URL(target);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!options.allowPrivate && isIP(host) !== 0 && isPrivateAddress(host))
    return Promise.resolve({ ok: false, detail: REFUSED });
  return new Promise((resolve) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent: false,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        ...(options.allowPrivate ? {} : { lookup: lookUpPublic }),
      },
      (response) => {
        response.resume();
        const status = response.statusCode ?? 0;
        resolve({ ok: status >= 200 && status < 300, detail: `Answered ${status}.` });
        response.destroy();
      },
    );
    request.on('error', (error) => resolve({ ok: false, detail: wordsOf(error) }));
    request.end(body);
  });
}

function wordsOf(error: Error): string {
  if (error.message === REFUSED) return REFUSED;
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'No answer within 10 seconds.';
  const code = 'code' in error ? String(error.code) : error.name;
  return `Not reached: ${code}.`;
}
