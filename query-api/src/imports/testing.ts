import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** An answer of a faked admin interface: its status, body and headers. */
export type Answered = readonly [status: number, body: unknown, headers?: Record<string, string>];

/** A server that answers as told, in the order of the requests; for tests. */
export async function fakeProvider(answer: (url: URL, headers: Record<string, unknown>) => Answered) {
  const asked: URL[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://provider');
    asked.push(url);
    const [status, body, headers = {}] = answer(url, request.headers);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A key of Anthropic's list, in the form of its API reference. */
export const anthropicKey = (changes: object = {}) => ({
  id: 'apikey_01Rj2N8SVvo6BePZj99NhmiT',
  created_at: '2024-10-30T23:58:27.427722Z',
  created_by: { id: 'user_01WCz1FkmYMm4gnmykNKUu3Q', type: 'user' },
  expires_at: null,
  name: 'Developer Key',
  partial_key_hint: 'sk-ant-api03-R2D...igAA',
  principal: { type: 'user_actor', user_id: 'user_01WCz1FkmYMm4gnmykNKUu3Q' },
  scope: { type: 'workspace', workspace_id: 'wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ' },
  status: 'active',
  type: 'api_key',
  workspace_id: 'wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ',
  ...changes,
});

/** A key of an OpenAI project, in the form of its API reference. */
export const openaiKey = (changes: object = {}) => ({
  object: 'organization.project.api_key',
  redacted_value: 'sk-abc...def',
  name: 'My API Key',
  created_at: 1_711_471_533,
  id: 'key_abc',
  owner: {
    type: 'user',
    user: {
      object: 'organization.project.user',
      id: 'user_abc',
      name: 'First Last',
      email: 'user@example.com',
      role: 'owner',
    },
  },
  ...changes,
});
