import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { afterEach } from 'vitest';
import { type UsageEvent } from '../../../contract/index.ts';
import { createAllowlist } from '../allowlist.ts';
import { createPolicyView } from '../policy.ts';
import { parseProviders } from '../providers.ts';
import { type ProxyOptions, registerProxy } from '../proxy.ts';

export const SECRET = `sk-ant-api03-${'a1B2'.repeat(23)}xAA`;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy in front of a provider that answers as told. */
export async function proxied(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  change: Partial<ProxyOptions> = {},
) {
  const server = createServer(answer);
  const upstream = await listen(server);
  const events: UsageEvent[] = [];
  const faults: string[] = [];
  const waiting: (() => void)[] = [];
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  const providers = parseProviders(`anthropic=${upstream},openai=${upstream}/base,google=${upstream}`);
  if (typeof providers === 'string') throw new Error(providers);
  const proxy = registerProxy(app, {
    providers,
    policy: createPolicyView(new Set()),
    allowlist: createAllowlist(),
    isRegistryKnown: () => true,
    publish(published) {
      events.push(...published);
      for (const resolve of waiting.splice(0)) resolve();
      return Promise.resolve();
    },
    onFault: (what) => faults.push(what),
    now: Date.now,
    ...change,
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  closing.push(async () => {
    await app.close();
    await proxy.close();
  });
  const reported = async () => {
    if (events.length === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    return events[0]!;
  };
  return { url: `${url}/proxy`, events, faults, reported, server };
}

export const body = async (request: IncomingMessage) => Buffer.concat(await request.toArray());
