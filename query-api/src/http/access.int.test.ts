import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ROLES } from '../../contract/index.ts';
import type { Role } from '../../contract/index.ts';
import { CONTROL_TOKEN, engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { visitorOf } from '../testing/visitor.ts';
import { NAMING_OTHERWISE, NEVER_IN_CONFLICT } from './documented-problems.ts';

let api: Harness;
beforeAll(async () => {
  api = await startHarness({ engine: engineOf(inject('clickhouseServer')) });
});
afterAll(() => api.close());

type Access = 'anybody' | 'operator' | Role;

/** Who may use which route: the least role, `anybody` without a session, `operator` by the control token. */
const ACCESS: Record<string, Access> = {
  'GET /healthz': 'anybody',
  'GET /readyz': 'anybody',
  'GET /metrics': 'anybody',
  'GET /openapi.json': 'anybody',
  'GET /sign-in': 'anybody',
  'POST /internal/bootstrap': 'operator',
  'POST /internal/sign-in-links': 'operator',
  'POST /v1/sign-in': 'anybody',
  'GET /v1/sign-in/methods': 'anybody',
  'POST /v1/sign-in/password': 'anybody',
  'POST /v1/sign-in/second-factor': 'anybody',
  'POST /v1/sign-in/passkey': 'anybody',
  'POST /v1/sign-in/passkey/options': 'anybody',
  'POST /v1/sign-in/oidc': 'anybody',
  'POST /v1/sign-in/oidc/callback': 'anybody',
  'POST /v1/invitations/look': 'anybody',
  'POST /v1/invitations/accept': 'anybody',
  'POST /v1/sign-out': 'viewer',
  'GET /v1/me': 'viewer',
  'PATCH /v1/me': 'viewer',
  'POST /v1/me/setup': 'viewer',
  'POST /v1/me/password': 'viewer',
  'GET /v1/me/sessions': 'viewer',
  'POST /v1/me/sessions/:id/revoke': 'viewer',
  'POST /v1/me/totp': 'viewer',
  'POST /v1/me/totp/confirm': 'viewer',
  'POST /v1/me/totp/remove': 'viewer',
  'POST /v1/me/recovery-codes': 'viewer',
  'POST /v1/me/step-up': 'viewer',
  'GET /v1/me/passkeys': 'viewer',
  'POST /v1/me/passkeys': 'viewer',
  'POST /v1/me/passkeys/options': 'viewer',
  'POST /v1/me/passkeys/:id/remove': 'viewer',
  'GET /v1/me/tokens': 'viewer',
  'POST /v1/me/tokens': 'viewer',
  'POST /v1/me/tokens/:id/revoke': 'viewer',
  'GET /v1/people': 'admin',
  'POST /v1/people': 'admin',
  'PATCH /v1/people/:id': 'admin',
  'POST /v1/people/:id/link': 'admin',
  'GET /v1/overview': 'viewer',
  'GET /v1/cases': 'viewer',
  'GET /v1/lanes/:lane/callers': 'viewer',
  'GET /v1/lanes/:lane/sharing': 'viewer',
  'GET /v1/lanes': 'viewer',
  'GET /v1/lanes/:lane': 'viewer',
  'GET /v1/ledger': 'viewer',
  'GET /v1/ledger/totals': 'viewer',
  'GET /v1/ledger/histogram': 'viewer',
  'GET /v1/collectors': 'viewer',
  'GET /v1/dead-letters': 'viewer',
  'GET /v1/dead-letters/:id': 'responder',
  'POST /v1/dead-letters/:id/replay': 'responder',
  'GET /v1/spend': 'viewer',
  'GET /v1/spend/forecast': 'viewer',
  'GET /v1/spend/budgets': 'viewer',
  'GET /v1/spend/savings': 'viewer',
  'GET /v1/usage': 'viewer',
  'GET /v1/entities/:kind': 'viewer',
  'GET /v1/entities/:kind/:value': 'viewer',
  'GET /v1/sessions/:session': 'viewer',
  'GET /v1/findings': 'viewer',
  'GET /v1/findings/:id': 'viewer',
  'GET /v1/findings/assignees': 'viewer',
  'POST /v1/findings/:id/acknowledge': 'responder',
  'POST /v1/findings/:id/resolve': 'responder',
  'POST /v1/findings/:id/reopen': 'responder',
  'POST /v1/findings/:id/snooze': 'responder',
  'POST /v1/findings/:id/assign': 'responder',
  'POST /v1/findings/:id/comment': 'analyst',
  'POST /v1/findings/comments': 'analyst',
  'POST /v1/findings/triage': 'responder',
  'GET /v1/channels': 'viewer',
  'POST /v1/channels': 'admin',
  'PATCH /v1/channels/:id': 'admin',
  'POST /v1/channels/:id/test': 'admin',
  'GET /v1/channels/:id/deliveries': 'viewer',
  'GET /v1/changes': 'viewer',
  'GET /v1/stream': 'viewer',
  'GET /v1/credentials': 'viewer',
  'GET /v1/credentials/:id': 'viewer',
  'POST /v1/credentials': 'responder',
  'POST /v1/credentials/import': 'responder',
  'GET /v1/imports': 'viewer',
  'POST /v1/imports/:provider': 'responder',
  'POST /v1/credentials/preflight': 'responder',
  'PATCH /v1/credentials/:id': 'responder',
  'POST /v1/credentials/:id/rotate': 'responder',
  'POST /v1/credentials/:id/regenerate': 'responder',
  'POST /v1/credentials/:id/revoke': 'responder',
  'POST /v1/credentials/refuse': 'responder',
  'GET /v1/credentials/:id/impact': 'viewer',
  'GET /v1/credentials/:id/drain': 'viewer',
  'GET /v1/credentials/:id/log': 'viewer',
  'GET /v1/credentials/modules': 'viewer',
  'GET /v1/credentials/environments': 'viewer',
  'POST /v1/credentials/verify': 'analyst',
  'GET /v1/rules': 'viewer',
  'GET /v1/rules/:id': 'viewer',
  'PATCH /v1/rules/:id': 'analyst',
  'POST /v1/rules/:id/backtest': 'analyst',
  'GET /v1/backtests/:id': 'viewer',
  'POST /v1/backtests/:id/cancel': 'analyst',
  'GET /v1/policies': 'viewer',
  'GET /v1/policies/:id': 'viewer',
  'PUT /v1/policies/:id': 'admin',
  'POST /v1/policies/:id/preview': 'admin',
  'POST /v1/policies/:id/apply': 'admin',
  'GET /v1/collections': 'viewer',
  'GET /v1/collections/:id': 'viewer',
  'POST /v1/collections/:id/collect': 'viewer',
  'GET /v1/audit': 'analyst',
  'GET /v1/audit/chain': 'analyst',
  'GET /v1/exports': 'analyst',
  'POST /v1/exports': 'analyst',
  'GET /v1/exports/:id': 'analyst',
  'GET /v1/onboarding': 'viewer',
  'GET /v1/evidence': 'analyst',
  'POST /v1/evidence': 'analyst',
  'GET /v1/evidence/:id': 'analyst',
  'GET /v1/signing-key': 'viewer',
  'POST /v1/signing-key': 'admin',
  'GET /v1/jobs': 'viewer',
  'POST /v1/jobs/:id/run': 'admin',
  'POST /v1/sql': 'analyst',
  'POST /v1/sql/estimate': 'analyst',
  'GET /v1/sql/values': 'analyst',
  'GET /v1/sql/schema': 'analyst',
  'GET /v1/sql/history': 'analyst',
  'GET /v1/sql/queries': 'analyst',
  'POST /v1/sql/queries': 'analyst',
  'PUT /v1/sql/queries/:id': 'analyst',
  'DELETE /v1/sql/queries/:id': 'analyst',
  'GET /v1/owners': 'responder',
  'GET /v1/projects': 'viewer',
  'POST /v1/projects': 'admin',
  'PATCH /v1/projects/:name': 'admin',
  'GET /v1/teams': 'viewer',
  'POST /v1/teams': 'admin',
  'PATCH /v1/teams/:name': 'admin',
  'GET /v1/service-accounts': 'viewer',
  'POST /v1/service-accounts': 'admin',
  'PATCH /v1/service-accounts/:name': 'admin',
};

/** Reads of one's own account that a token is refused. */
const SESSION_ONLY = /^GET \/v1\/me\/\w+$/;

/** Every route that is registered. The documentation's own files are open as a whole. */
function registered(): string[] {
  return api.routes.filter((route) => !/ \/docs(\/|$)/.test(route)).sort();
}

test('every route has a place in this table', () => {
  expect(registered()).toEqual(Object.keys(ACCESS).sort());
});

/** Statuses that the OpenAPI document names of a route; null for one that is not in it. */
function documentedOf(route: string): string[] | null {
  const [method = '', path = ''] = route.split(' ');
  const paths = api.app.swagger().paths as Record<string, Record<string, { responses: object }>>;
  const found = paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
  return found === undefined ? null : Object.keys(found.responses);
}

test('the documentation names a refusal where some are refused, a conflict where something can change, and no route that is not there', () => {
  const wrong = Object.entries(ACCESS).filter(([route, access]) => {
    const documented = documentedOf(route);
    if (documented === null || !route.startsWith('GET ')) return false;
    const isRefused = ['analyst', 'responder', 'admin'].includes(access) || SESSION_ONLY.test(route);
    return documented.includes('403') !== isRefused || documented.includes('409');
  });
  expect(wrong).toEqual([]);
  const named = [...NEVER_IN_CONFLICT, ...NAMING_OTHERWISE];
  expect(named.filter((route) => !(route in ACCESS))).toEqual([]);
});

test('every route answers each role, and nobody, as this table says, with a status that its documentation names', async () => {
  const sessions = new Map<Role | null, ReturnType<typeof visitorOf>>([[null, visitorOf(api.app)]]);
  for (const role of ROLES) {
    const who = visitorOf(api.app);
    await who.ask('POST', '/v1/sign-in', { link: await linkFor(role) });
    sessions.set(role, who);
  }
  const wrong: string[] = [];
  for (const [route, access] of Object.entries(ACCESS)) {
    const [method, path] = route.split(' ') as ['GET' | 'POST' | 'PATCH' | 'PUT', string];
    // A stream does not end by itself, and signing out ends what the next route needs.
    if (path === '/v1/changes' || path === '/v1/stream' || path === '/v1/sign-out') continue;
    for (const [role, who] of sessions) {
      const { status } = await who.ask(method, path.replace(/:\w+/g, 'none'), { not: 'a field' });
      const expected =
        access === 'anybody'
          ? 'in'
          : access === 'operator' || role === null
            ? 'unknown'
            : ROLES.indexOf(role) >= ROLES.indexOf(access)
              ? 'in'
              : 'refused';
      const was = status === 401 ? 'unknown' : status === 403 ? 'refused' : 'in';
      if (documentedOf(route)?.includes(String(status)) === false) wrong.push(`${route} does not name ${status}`);
      if (was !== expected) wrong.push(`${route} for ${role ?? 'nobody'}: ${was} (${status}), not ${expected}`);
    }
  }
  expect(wrong).toEqual([]);
  const bearer = { authorization: `Bearer ${CONTROL_TOKEN}` };
  expect((await visitorOf(api.app).ask('POST', '/internal/sign-in-links', {}, bearer)).status).toBe(201);
});

/** A sign-in link for somebody of that role. */
async function linkFor(role: Role): Promise<string> {
  const { auth } = api.services.accounts;
  const email = `${role}@example.com`;
  const { user } = await auth.api.createUser({ body: { email, name: role, role, data: { emailVerified: true } } });
  return (await auth.api.createSignInLink({ body: { userId: user.id } })).token;
}
