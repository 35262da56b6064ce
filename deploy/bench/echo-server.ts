import fastify from 'fastify';

/*
 * The limit of P11: a fastify route that answers with the body it was sent and asks nobody who they are. Prints its address once it
 * listens.
 */
const server = fastify();
server.post('/v1/credentials/verify', (request) => request.body);
process.stdout.write(`${await server.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.once('SIGTERM', () => void server.close());
