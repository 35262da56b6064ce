import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SESSION_COOKIE } from '../../contract/index.ts';
import type { Services } from '../services/services.ts';
import { ProblemError } from './problem.ts';
import { bearerOf } from './session-auth.ts';

/** Below what proxies and browsers take for a dead connection. */
const HEARTBEAT_MS = 15_000;
const LISTENERS_MAX = 200;
/** A reader that has so much to read yet loses its connection. */
const UNREAD_BYTES_MAX = 64 * 1024;

/** Takes an answer out of fastify's hands; the headers that every answer has go with it. */
export function takeOver(reply: FastifyReply): ServerResponse {
  const { raw } = reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  return raw;
}

/** Streams of server-sent events that are open; all of them end together. */
interface OpenStreams {
  /**
   * Answers with a stream.
   * @param begin is given the way to send, and returns what to do at the end
   * @throws {ProblemError} `too_many_requests`
   */
  serve(request: FastifyRequest, reply: FastifyReply, begin: (send: (text: string) => void) => () => void): void;
  end(): void;
}

/** One event of a stream. */
export const eventText = (event: string, data: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

export function openStreams({
  changes,
  accounts,
  tokens,
}: Pick<Services, 'changes' | 'accounts' | 'tokens'>): OpenStreams {
  const open = new Set<() => void>();
  return {
    end: () => open.forEach((end) => end()),
    serve(request, reply, begin) {
      if (changes.listeners >= LISTENERS_MAX) {
        throw new ProblemError('too_many_requests', 'Too many pages listen already.', [], { 'retry-after': '30' });
      }
      const raw = takeOver(reply);
      // Gone while the session was looked up: 'close' is past, so nothing would ever end what is begun here.
      if (raw.destroyed) return;
      raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store, no-transform',
        'x-accel-buffering': 'no',
      });
      raw.write('retry: 2000\n\n');
      const send = (text: string): void => {
        // A reader that does not read loses its connection instead of filling our memory; it comes back by itself.
        // Not end(), which would wait behind what is not read.
        if (!raw.write(text) && raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
      };
      const stop = begin(send);
      const cookie = request.cookies[SESSION_COOKIE] ?? '';
      const bearer = bearerOf(request);
      const stillIn = () => (bearer === null ? accounts.session(cookie, { isUse: false }) : tokens.principal(bearer));
      const heartbeat = setInterval(() => {
        send(': still here\n\n');
        // A session or token that ended, by sign-out or time, stops reading here as well. Listening on is not use.
        stillIn().then(
          (principal) => principal === null && end(),
          () => undefined,
        );
      }, HEARTBEAT_MS);
      const end = (): void => {
        clearInterval(heartbeat);
        stop();
        open.delete(end);
        raw.end();
      };
      open.add(end);
      raw.on('close', end);
    },
  };
}
