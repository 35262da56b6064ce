import { createServer } from 'node:http';
import { Agent, type Dispatcher } from 'undici';

/*
 * The two peers of P12, one per process: `provider` streams a short answer as server-sent events, `proxy <origin>` passes requests to it by undici and
 * does nothing else. Prints its address once it listens.
 */
const [role, origin = ''] = process.argv.slice(2);

const EVENTS = [
  'data: {"type":"message_start","message":{"model":"claude-sonnet-4-5","usage":{"input_tokens":900,"output_tokens":1}}}\n\n',
  ...Array.from(
    { length: 12 },
    (_, at) => `data: {"type":"content_block_delta","index":0,"delta":{"text":"word ${at} "}}\n\n`,
  ),
  'data: {"type":"message_delta","usage":{"output_tokens":24}}\n\n',
];

const provider = createServer((request, response) => {
  request.resume().once('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of EVENTS) response.write(event);
    response.end();
  });
});

const agent = new Agent({ connections: null, pipelining: 1 });
const bareProxy = createServer((request, response) => {
  agent.dispatch(
    {
      origin,
      path: request.url!,
      method: request.method as Dispatcher.HttpMethod,
      headers: { 'content-type': 'application/json', 'content-length': request.headers['content-length'] },
      body: request,
    },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, headers) =>
        response.writeHead(status, { 'content-type': String(headers['content-type']) }),
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
});

const server = role === 'provider' ? provider : bareProxy;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
