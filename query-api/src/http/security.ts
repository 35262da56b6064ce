import type { FastifyInstance, FastifyRequest } from 'fastify';
import { textsIn } from '../registry/fields.ts';
import { holdsKnownKey, holdsRawKey } from '../../contract/raw-key.ts';
import { ProblemError } from './problem.ts';

/** The documentation page needs its own styles and scripts; everything else is data and loads nothing. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a field is called like a raw key, however deep; an answer that names unknown fields would repeat it. */
function hasRawKeyAsName(value: unknown): boolean {
  const rest = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next) && Object.keys(next).some(holdsRawKey)) return true;
    for (const child of Object.values(next)) rest.push(child);
  }
  return false;
}

function refuseRawKeyAsName(request: FastifyRequest): void {
  if (!hasRawKeyAsName([request.query, request.body])) return;
  throw new ProblemError(
    'raw_key',
    'The name of a field looks like a raw key, which must not be sent. Nothing was done.',
  );
}

/** A key pasted into a search box or address would otherwise reach the stores' own query logs. */
function refuseRawKeyInUrl(request: FastifyRequest): void {
  const texts = [...textsIn(request.query), ...textsIn(request.params)];
  const errors = texts
    .filter(({ text }) => holdsKnownKey(text))
    .map(({ path }) => ({ path, message: 'looks like a raw key' }));
  if (errors.length === 0) return;
  throw new ProblemError(
    'raw_key',
    'Look a key up by its fingerprint or hint; the key itself must not be sent.',
    errors,
  );
}

/**
 * Headers on every answer, and the two guards of state-changing requests: a JSON content type, which a foreign page can't
 * send without asking first, and an Origin of this host or of the dashboard when a browser names one.
 */
export function installSecurity(app: FastifyInstance, dashboardUrl: string): void {
  const dashboardHost = new URL(dashboardUrl).hostname;
  app.addHook('preValidation', async (request) => {
    if (request.is404) return;
    refuseRawKeyAsName(request);
    refuseRawKeyInUrl(request);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-site',
      'content-security-policy': request.url.startsWith('/docs') ? DOCS_POLICY : DATA_POLICY,
      'x-request-id': request.id,
    });
    if (!request.url.startsWith('/docs')) reply.header('cache-control', 'no-store');
    if (SAFE_METHODS.has(request.method) || request.is404) return;
    refuseForeignOrigin(request, dashboardHost);
    const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
    if (type !== 'application/json') {
      throw new ProblemError(
        'unsupported_media_type',
        'Send the body as content-type: application/json, and {} where there is nothing to say.',
        [],
        {
          accept: 'application/json',
        },
      );
    }
  });
}

function refuseForeignOrigin(request: FastifyRequest, dashboardHost: string): void {
  const { origin } = request.headers;
  if (origin === undefined) return;
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  if (host !== '' && (host === request.hostname || host === dashboardHost)) return;
  throw new ProblemError('foreign_origin', 'Changes are only taken from pages of this installation.');
}
