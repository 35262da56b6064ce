import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ANSWERS, type Answered, type Asked, type Usage } from './answers.ts';

/** A request that the provider answered, as it should stand in the ledger. */
export interface Served extends Usage {
  model: string;
}

export interface Provider {
  url: string;
  served: Served[];
  close(): void;
}

/**
 * A model provider on loopback that speaks the APIs of Anthropic, OpenAI and Google. No two answers have the same counts, so that each can be told in
 * the ledger; the first answer to each question calls a tool, where the client has one that it knows.
 * @param port 0 takes a free one
 */
export async function startProvider(port = 0): Promise<Provider> {
  const served: Served[] = [];
  const server = createServer((request, response) => {
    read(request)
      .then((body) => answer(request, response, body, served))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  body: Record<string, unknown>,
  served: Served[],
): void {
  const path = request.url!.split('?', 1)[0]!;
  const respond = ANSWERS.find(([pattern]) => pattern.test(path))?.[1];
  if (request.method !== 'POST' || respond === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}');
    return;
  }
  const number = served.length + 1;
  const asked: Asked = { path, body, number, usage: usageOf(number) };
  const { model, lines, json }: Answered = respond(asked);
  served.push({ model, ...asked.usage });
  const headers = { 'request-id': `req_mock_${number}`, 'x-request-id': `req_mock_${number}` };
  if (lines === undefined)
    response.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(json));
  else response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' }).end(lines);
}

/** All four kinds, different for each request. */
const usageOf = (number: number): Usage => ({
  input_uncached: 1_000 + number,
  cache_read: 2_000 + number,
  cache_write: 300 + number,
  output: 40 + number,
});
