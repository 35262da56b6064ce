import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Agent } from 'undici';
import type { UsageEvent } from '../../contract/index.ts';
import { canonicalAddress } from '../normalise/canonical/address.ts';
import type { ProxyRefusal } from '../../contract/proxy-policy.ts';
import type { Allowlist, Violation } from './allowlist.ts';
import { forward, type Forwarded } from './forward.ts';
import { gatherEvents, type Gatherer } from './gather.ts';
import { NOTHING_METERED } from './meter.ts';
import type { PolicyView } from './policy.ts';
import { presentedKey } from './presented-key.ts';
import type { ProxyProvider } from './providers.ts';
import { refusalIn } from './refusal.ts';
import { eventOf, FACT_HEADERS } from './report.ts';
import { asksForWebSocket, tunnel, type Upgrade } from './tunnel.ts';

export interface ProxyOptions {
  providers: ReadonlyMap<string, ProxyProvider>;
  /** What is refused and what is noted. */
  policy: PolicyView;
  allowlist: Allowlist;
  /** Whether allowlist and policy were read; while they were not, nothing is refused. */
  isRegistryKnown(): boolean;
  /** Makes events durable. */
  publish(events: UsageEvent[]): Promise<void>;
  onExchange?(seen: { provider: string; status: number; refused: ProxyRefusal | null }): void;
  onFault(what: string, error: unknown): void;
  now(): number;
}

export interface Proxy {
  /** Waits until the events of all answered requests are durable, and closes connections to providers. */
  close(): Promise<void>;
}

/** Where base URLs begin: `/proxy/anthropic` stands for `https://api.anthropic.com`. */
const PROXY_PATH = '/proxy';

/**
 * The observing proxy: requests of models pass through untouched, and each becomes a usage event that holds no word of them. Whatever is
 * wrong with Lanewatch, a request goes through: it fails open and says so in log and metrics.
 */
export function registerProxy(app: FastifyInstance, options: ProxyOptions): Proxy {
  const agent = new Agent({ connections: null, pipelining: 1, keepAliveTimeout: 30_000 });
  const reporting = new Set<Promise<void>>();
  const upgrades = followUpgrades(app);
  const gatherer = gatherEvents((events) => options.publish(events));

  const handler = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack();
    const exchanged = exchange(request, reply, { agent, gatherer, upgrades, options })
      .catch((error: unknown) => {
        options.onFault('the proxy could not report a request', error);
      })
      .finally(() => reporting.delete(exchanged));
    reporting.add(exchanged);
  };
  for (const url of [PROXY_PATH, `${PROXY_PATH}/:provider`, `${PROXY_PATH}/:provider/*`])
    app.all(url, { schema: { hide: true } }, handler);

  return {
    async close() {
      gatherer.flush();
      await Promise.all(reporting);
      await agent.destroy();
    },
  };
}

async function exchange(
  { raw, ip }: FastifyRequest,
  reply: FastifyReply,
  {
    agent,
    gatherer,
    upgrades,
    options,
  }: { agent: Agent; gatherer: Gatherer; upgrades: Upgrades; options: ProxyOptions },
): Promise<void> {
  const [, name = '', target = '/'] = /^\/+proxy(?:\/+([^/?]*))?(.*)$/s.exec(raw.url ?? '') ?? [];
  const provider = options.providers.get(name);
  if (provider === undefined) {
    refuseUnknownProvider(reply, options.providers);
    return;
  }
  const startedAt = options.now();
  const address = canonicalAddress(ip);
  const key = presentedKey(raw.headers, target);
  const environment = raw.headers[FACT_HEADERS.environment];
  const violation = judged(options, {
    key,
    address,
    environment: typeof environment === 'string' ? environment : '',
    now: startedAt,
  });
  const refusal = violation?.isRefused ? violation : null;
  const upgrade = upgrades.get(raw);
  const path = target.startsWith('/') ? target : `/${target}`;
  const forwarded =
    refusal !== null
      ? refuse(reply, provider, refusal)
      : upgrade === undefined
        ? await forward(agent, provider, path, raw, reply.raw)
        : await tunnel(provider, path, raw, upgrade, reply.raw);
  options.onExchange?.({ provider: name, status: forwarded.status, refused: refusal?.policy ?? null });
  const event = eventOf({
    provider: name,
    method: upgrade === undefined ? (raw.method ?? 'GET') : 'WEBSOCKET',
    target,
    headers: raw.headers,
    key,
    address,
    startedAt,
    endedAt: options.now(),
    status: forwarded.status,
    answerHeaders: forwarded.headers,
    metered: forwarded.metered,
    broken: forwarded.broken,
    violation,
  });
  if (event === null) throw new Error('the request cannot be told as an event');
  await gatherer.add(event);
}

function judged(options: ProxyOptions, request: Parameters<Allowlist['judge']>[0]): Violation | null {
  if (!options.isRegistryKnown()) {
    options.onFault('the proxy let a request pass unjudged', new Error('the registry is not known yet'));
    return null;
  }
  return options.policy.isInForce() ? options.allowlist.judge(request, (project) => options.policy.of(project)) : null;
}

/** WebSockets that clients ask for, by their requests. */
type Upgrades = WeakMap<IncomingMessage, Upgrade>;

/** Has requests for WebSockets handled like all others. The server waits for their sockets and ends none: they are ended before it closes. */
function followUpgrades(app: FastifyInstance): Upgrades {
  const asked: Upgrades = new WeakMap();
  const sockets = new Set<Socket>();
  // Other requests that offer another protocol, as curl offers HTTP/2, are answered as if they did not.
  const shouldUpgradeCallback = (request: IncomingMessage): boolean =>
    asksForWebSocket(request) && (request.url ?? '').startsWith(PROXY_PATH);
  Object.assign(app.server, { shouldUpgradeCallback });
  app.server.on('upgrade', (request, duplex, head) => {
    const socket = duplex as Socket;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    // The server tells responses of other sockets that they may go on.
    socket.on('drain', () => response.emit('drain'));
    response.once('finish', () => socket.destroySoon());
    asked.set(request, { socket, head });
    app.routing(request, response);
  });
  app.addHook('preClose', () => {
    for (const socket of sockets) socket.destroy();
  });
  return asked;
}

function refuse(reply: FastifyReply, provider: ProxyProvider, { policy, sentence }: Violation): Forwarded {
  const { status, body } = refusalIn(
    provider.errorForm,
    403,
    `${sentence} The policy "${policy}" of this organisation refused the request; it did not reach ${provider.name}.`,
    `lanewatch_policy_${policy}`,
  );
  // The body is not read: whoever sends a long one is told at once, and the connection ends.
  reply.raw.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
  return { status, headers: {}, metered: NOTHING_METERED, broken: false };
}

function refuseUnknownProvider(reply: FastifyReply, providers: ProxyOptions['providers']): void {
  const known = [...providers.keys()].map((name) => `${PROXY_PATH}/${name}`).join(', ');
  const sentence = `There is no such provider here. Base URLs are ${known}; PROXY_PROVIDERS adds others.`;
  const { status, body } = refusalIn('openai', 404, sentence, 'lanewatch_no_such_provider');
  reply.raw.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body);
}
