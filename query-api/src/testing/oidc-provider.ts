import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** What the provider says of somebody, by login. */
type Claims = Record<string, { email: string; email_verified: boolean; name: string }>;

/**
 * A real OpenID provider on loopback, whose sign-in page takes any login without a password. Its client is `lanewatch`.
 * @param redirectUri where it may send back to
 */
export async function startProvider(redirectUri: string, people: Claims) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const oidc = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: 'lanewatch', client_secret: 'client secret', redirect_uris: [redirectUri] },
        ...{ grant_types: ['authorization_code'], response_types: ['code'] },
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ['only for this test'] },
  });
  const answer = oidc.callback();
  server.on('request', (request, response) => void answer(request, response));
  return {
    issuer,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
