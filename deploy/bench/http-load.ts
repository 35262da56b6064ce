import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface HttpLoad {
  url: string;
  headers: Record<string, string>;
  /** Body of request number n. */
  body(request: number): string;
  /** Requests in all, and how many at a time. */
  requests: number;
  connections: number;
}

/**
 * Sends requests over kept-alive connections and waits for every answer.
 * @returns requests per second
 * @throws Error at the first answer that is not 2xx
 */
export async function httpLoad({ url, headers, body, requests, connections }: HttpLoad): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < requests) await post(agent, url, headers, body(next++));
    }),
  );
  const rate = (requests / (performance.now() - startedMs)) * 1000;
  agent.destroy();
  return rate;
}

function post(agent: Agent, url: string, headers: Record<string, string>, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = String(Buffer.byteLength(body));
    const outgoing = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'content-length': length } },
      (answer) => {
        const ok = answer.statusCode !== undefined && answer.statusCode < 300;
        text(answer).then((answered) => {
          if (ok) resolve();
          else reject(new Error(`${url} answered ${answer.statusCode}: ${answered.slice(0, 300)}`));
        }, reject);
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
