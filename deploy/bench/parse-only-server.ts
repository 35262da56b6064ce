import fastify from 'fastify';

/*
 * The limit of P4 and P4f: a fastify route that parses every line of an NDJSON body and does nothing with it. No validation, no
 * authentication, no bus. Prints its address once it listens.
 */
const server = fastify({ bodyLimit: 64 * 2 ** 20 });
server.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, (_request, body, done) => {
  done(
    null,
    (body as string).split('\n').map((line) => JSON.parse(line) as unknown),
  );
});
// Of P4f: one JSON body.
server.post('/v1/parsed', () => ({ accepted: 1 }));
server.post('/v1/events', (request) => ({ accepted: (request.body as unknown[]).length }));
process.stdout.write(`${await server.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.once('SIGTERM', () => void server.close());
