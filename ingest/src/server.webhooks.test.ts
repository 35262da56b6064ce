import { afterEach, beforeEach, expect, test } from 'vitest';
import { fixture } from './testing/format-run.ts';
import { json } from './testing/requests.ts';
import { createTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await createTestServer();
});
afterEach(() => server.app.close());

test('Langfuse: the collector key is the secret key, and each item has an answer of its own', async () => {
  const body = fixture(new URL('formats/langfuse/x', import.meta.url).href, 'litellm-completion_with_tags.json');
  const authorization = `Basic ${Buffer.from(`pk-lf-1:${server.secret}`).toString('base64')}`;
  const answer = await server.post('/api/public/ingestion', body, { authorization });
  expect(answer.status).toBe(207);
  expect(answer.json()).toEqual({
    successes: [
      { id: '42be960a-5dde-47df-9cbc-1fdd0fdcaa7d', status: 201 },
      { id: '5486df5a-3776-4adf-abd0-bd22e51f7fb4', status: 201 },
    ],
    errors: [],
  });
  const broken = json({ batch: [{ id: 'x', type: 'generation-create', body: {} }] });
  expect((await server.post('/api/public/ingestion', broken)).json()).toMatchObject({
    successes: [],
    errors: [{ id: 'x', status: 400, message: 'body.id is required' }],
  });
  expect(await server.post('/api/public/ingestion', '{"batch":7}')).toMatchObject({ status: 400 });
});

test.each(['Basic !', 'Basic eDp3cm9uZw==', 'Basic eDo='])('%s does not open the door', async (authorization) => {
  expect(await server.post('/api/public/ingestion', '{"batch":[]}', { authorization })).toMatchObject({ status: 401 });
});

test('OpenMeter: 204 when all is taken, counts when something is not, 400 when nothing is', async () => {
  const good = { specversion: '1.0', type: 't', id: '1', source: 's', data: { tokens: '5' } };
  const post = (body: unknown) =>
    server.post('/api/v1/events', json(body), { 'content-type': 'application/cloudevents-batch+json' });
  expect(await post([good])).toMatchObject({ status: 204, body: '' });
  expect((await post([good, {}])).json()).toMatchObject({ accepted: 1, rejected: 1 });
  expect(await post([{}])).toMatchObject({ status: 400 });
});
