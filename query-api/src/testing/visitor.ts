import type { FastifyInstance } from 'fastify';
import type { Answer } from './harness.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT';

/** A client with a cookie jar, from one address. */
export interface Visitor {
  cookies: Map<string, string>;
  ask(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

/** A visitor without cookies. */
export function visitorOf(app: FastifyInstance, remoteAddress = '203.0.113.1'): Visitor {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async ask(method, path, body, headers = {}) {
      const response = await app.inject({
        ...{ method, url: path, remoteAddress, cookies: Object.fromEntries(cookies) },
        headers: { ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(method === 'GET' ? {} : { payload: JSON.stringify(body ?? {}) }),
      });
      for (const { name, value, maxAge } of response.cookies) {
        if (value === '' || maxAge === 0) cookies.delete(name);
        else cookies.set(name, value);
      }
      const isJson = String(response.headers['content-type'] ?? '').includes('json');
      return {
        status: response.statusCode,
        body: isJson ? response.json() : response.body,
        headers: { ...response.headers },
      };
    },
  };
}
