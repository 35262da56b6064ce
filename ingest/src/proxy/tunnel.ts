import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { answerHeaders, failAnswer, type Forwarded, requestHeaders } from './forward.ts';
import { NOTHING_METERED } from './meter.ts';
import type { ProxyProvider } from './providers.ts';

/** Either side may be silent for hours; this long after its last word it is asked whether it is still there. */
const KEEP_ALIVE_MS = 60_000;

/** A client that asks for a WebSocket. */
export interface Upgrade {
  socket: Socket;
  /** What it sent behind its request already. */
  head: Buffer;
}

export const asksForWebSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket';

/**
 * Asks the provider for the WebSocket that a client wants, and from then on passes bytes both ways, unread: what is used inside is not told.
 * @param target path and query behind the provider's base URL
 * @returns once the provider has answered; never rejects
 */
export function tunnel(
  provider: ProxyProvider,
  target: string,
  request: IncomingMessage,
  { socket, head }: Upgrade,
  response: ServerResponse,
): Promise<Forwarded> {
  return new Promise((resolve) => {
    const url = new URL(provider.origin + provider.pathPrefix + target);
    const headers = [
      ...requestHeaders(request.rawHeaders, request.headers),
      ...['host', url.host, 'connection', 'Upgrade', 'upgrade', 'websocket'],
    ];
    const asked = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { headers, agent: false });
    const settle = (status: number, answer: Pick<Forwarded, 'headers'> | null, broken = false) =>
      resolve({ status, headers: answer?.headers ?? {}, metered: NOTHING_METERED, broken });
    const left = () => {
      socket.destroy();
      asked.destroy();
      settle(0, null);
    };
    // Who ends their own side alone has left, too, as with other requests.
    socket.once('end', left).once('close', left);

    asked.once('upgrade', (answer, upstream, upstreamHead) => {
      socket.off('end', left).off('close', left);
      // From here on the socket is no longer this response's.
      response.detachSocket(socket);
      socket.write(statusLines(answer));
      joined(socket, upstream, { head, upstreamHead });
      settle(101, answer);
    });
    asked.once('response', (answer) => {
      response.writeHead(answer.statusCode!, { ...answerHeaders(answer.headers), connection: 'close' });
      answer.pipe(response);
      answer.once('error', () => socket.destroy());
      settle(answer.statusCode!, answer);
    });
    asked.once('error', (error) => {
      if (socket.destroyed) return;
      settle(failAnswer(response, provider, error) ?? 0, null, true);
    });
    asked.end();
  });
}

/** The answer that opens a WebSocket, as it came. */
function statusLines({ rawHeaders, statusMessage }: IncomingMessage): string {
  const lines = [`HTTP/1.1 101 ${statusMessage ?? 'Switching Protocols'}`];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Two sockets as one: each is read as fast as the other takes it, and the end of one is that of the other. */
function joined(
  client: Socket,
  upstream: Socket,
  { head, upstreamHead }: { head: Buffer; upstreamHead: Buffer },
): void {
  if (head.length > 0) upstream.write(head);
  if (upstreamHead.length > 0) client.write(upstreamHead);
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.setKeepAlive(true, KEEP_ALIVE_MS);
    one.once('error', () => other.destroy()).once('close', () => other.destroy());
    // What was read before is still written.
    one.once('end', () => other.destroySoon());
    one.pipe(other);
  }
}
