import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { sql } from 'kysely';
import { SESSION_COOKIE } from '../../contract/index.ts';
import type { Role } from '../../contract/index.ts';
import { readAudit } from '../audit/read.ts';
import { createAttempts } from './attempts.ts';
import { engineOf, registryTargets, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { totpCode } from '../testing/totp.ts';
import { visitorOf } from '../testing/visitor.ts';
import type { Visitor } from '../testing/visitor.ts';

const PASSWORD = 'correct horse battery';
const ADMIN = 'grace@example.com';

describe.each(registryTargets(inject('postgresUrl')))('accounts on %s', (_name, openRegistry) => {
  let api: Harness;
  let admin: Visitor;
  let uri = '';
  let recoveryCodes: string[] = [];

  beforeAll(async () => {
    api = await startHarness({ engine: engineOf(inject('clickhouseServer')), registry: await openRegistry() });
    admin = visitorOf(api.app);
  });
  afterAll(() => api.close());

  const visitor = (address?: string) => visitorOf(api.app, address);
  const signIn = (who: Visitor, email: string, password = PASSWORD) =>
    who.ask('POST', '/v1/sign-in/password', { email, password });

  async function invite(email: string, role: Role): Promise<string> {
    const invited = await admin.ask('POST', '/v1/people', { email, role });
    expect(invited.status, JSON.stringify(invited.body)).toBe(201);
    return new URL(invited.body.invitation_url).searchParams.get('token')!;
  }

  async function join(email: string, role: Role): Promise<Visitor> {
    const who = visitor();
    const accepted = await who.ask('POST', '/v1/invitations/accept', {
      ...{ token: await invite(email, role), name: email.split('@')[0], password: PASSWORD },
    });
    expect(accepted.body).toMatchObject({ status: 'signed_in', me: { email, role } });
    return who;
  }

  test('the first admin comes in by the link, says who they are once, and signs in by password then', async () => {
    const link = await api.services.accounts.createLink();
    expect((await admin.ask('POST', '/v1/sign-in', { link })).body).toMatchObject({ role: 'admin', setup: 'optional' });
    const short = await admin.ask('POST', '/v1/me/setup', { name: 'Grace', email: ADMIN, password: 'short' });
    expect([short.status, short.body.errors[0].path]).toEqual([400, 'password']);
    const setup = { name: 'Grace', email: ADMIN, password: PASSWORD };
    expect((await admin.ask('POST', '/v1/me/setup', setup)).body).toMatchObject({ setup: 'done', email: ADMIN });
    expect((await admin.ask('POST', '/v1/me/setup', setup)).status).toBe(409);
    const again = visitor();
    expect((await signIn(again, ADMIN)).body).toMatchObject({ status: 'signed_in', me: { name: 'Grace' } });
    // A link goes on leading to the first admin: whoever holds the machine is not locked out.
    const later = visitor();
    await later.ask('POST', '/v1/sign-in', { link: await api.services.accounts.createLink() });
    expect((await later.ask('GET', '/v1/me')).body.email).toBe(ADMIN);
  });

  test('whatever is wrong about e-mail or password, the answer is the same', async () => {
    const answers = await Promise.all([
      signIn(visitor(), ADMIN, 'wrong password here'),
      signIn(visitor(), 'nobody@example.com', 'wrong password here'),
    ]);
    const [first, second] = answers.map(({ status, body }) => ({ status, ...body, request_id: '' }));
    expect(first).toEqual(second);
    expect(first).toMatchObject({ status: 401, type: 'urn:lanewatch:problem:sign_in_refused' });
  });

  test('an account changes only together with its line in the trail: a death between the two leaves neither', async () => {
    const { db } = api.database;
    await sql`CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it dies here''; END'`.execute(
      db,
    );
    const { token } = (await admin.ask('POST', '/v1/me/tokens', { name: 'kept', access: 'read' })).body;
    await sql`CREATE TRIGGER dying AFTER INSERT ON audit_trail FOR EACH ROW
      WHEN (NEW.action LIKE 'account.%' OR NEW.action LIKE 'person.%') EXECUTE FUNCTION die()`.execute(db);
    const state = async () => [
      (await db.selectFrom('sessions').select('id').orderBy('id').execute()).length,
      await db.selectFrom('users').select(['email', 'name']).orderBy('id').execute(),
      await db.selectFrom('credentials').select(['id', 'revoked_at']).orderBy('id').execute(),
    ];
    const before = await state();
    const answers = [
      await signIn(visitor(), ADMIN),
      await admin.ask('POST', '/v1/people', { email: 'late@example.com', role: 'viewer' }),
      await admin.ask('PATCH', '/v1/me', { name: 'Nobody' }),
      await admin.ask('POST', '/v1/me/tokens', { name: 'never', access: 'read' }),
      await admin.ask('POST', `/v1/me/tokens/${token.id}/revoke`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 500, 500, 500]);
    expect(await state()).toEqual(before);
    await sql`DROP TRIGGER dying ON audit_trail`.execute(db);
    expect((await signIn(visitor(), ADMIN)).status).toBe(200);
  });

  test('guessing shuts out its own address, not the account elsewhere nor a device that knows it', async () => {
    const known = visitor('198.51.100.9');
    expect((await signIn(known, ADMIN)).status).toBe(200);
    const guesser = visitor('198.51.100.9');
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess++)
      statuses.push((await signIn(guesser, ADMIN, `guess number ${guess}`)).status);
    expect(statuses.at(-1)).toBe(429);
    expect((await signIn(guesser, ADMIN)).status).toBe(429);
    expect((await signIn(visitor('198.51.100.10'), ADMIN)).status).toBe(200);
    expect((await signIn(known, ADMIN)).status).toBe(200);
  });

  test('two processes share the count of guesses, and neither shuts out who signs in elsewhere or on a device that is known', async () => {
    const processes = [createAttempts(api.database.db), createAttempts(api.database.db)];
    const guess = (at: number, ip: string, device = '') =>
      processes[at % 2]!.signIn({ ip, email: 'ida@example.com', device }, () =>
        Promise.reject(new Error('wrong')),
      ).catch((error: Error) => error.message);
    const guesser = '192.0.2.44';
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => guess(at, guesser)));
    expect(answers).toEqual(Array(8).fill('wrong'));
    expect([await guess(0, guesser), await guess(1, guesser)]).toEqual(Array(2).fill(expect.stringContaining('Wait')));
    expect([await guess(0, '192.0.2.45'), await guess(1, guesser, 'her laptop')]).toEqual(['wrong', 'wrong']);
    const right = () =>
      processes[0]!.signIn({ ip: '192.0.2.45', email: 'ida@example.com', device: '' }, async () => 'in');
    expect(await right()).toBe('in');
  });

  test('an authenticator is asked for from its first code on; recovery codes stand in, each once', async () => {
    expect((await admin.ask('POST', '/v1/me/totp', { password: 'not this one at all' })).status).toBe(400);
    const begun = await admin.ask('POST', '/v1/me/totp', { password: PASSWORD });
    uri = begun.body.uri;
    recoveryCodes = begun.body.recovery_codes;
    expect(recoveryCodes).toHaveLength(10);
    expect((await signIn(visitor(), ADMIN)).body.status).toBe('signed_in');
    const confirmed = await admin.ask('POST', '/v1/me/totp/confirm', { code: totpCode(uri) });
    expect(confirmed.body, JSON.stringify(confirmed.body)).toMatchObject({ totp_enabled: true });

    const who = visitor();
    const first = await signIn(who, ADMIN);
    expect(first.body).toEqual({ status: 'second_factor_needed' });
    expect((await who.ask('GET', '/v1/me')).status).toBe(401);
    expect((await who.ask('POST', '/v1/sign-in/second-factor', { code: '000000' })).status).toBe(400);
    const second = await who.ask('POST', '/v1/sign-in/second-factor', { code: totpCode(uri) });
    expect(second.body).toMatchObject({ status: 'signed_in', me: { email: ADMIN } });
    expect(Date.parse((await who.ask('GET', '/v1/me')).body.stepped_up_until)).toBeGreaterThan(Date.now());

    const recover = async () => {
      const lost = visitor();
      await signIn(lost, ADMIN);
      const code = { code: recoveryCodes[0], kind: 'recovery_code' };
      const answer = await lost.ask('POST', '/v1/sign-in/second-factor', code);
      return { status: answer.status, stepUp: (await lost.ask('GET', '/v1/me')).body.stepped_up_until };
    };
    // A recovery code brings back in, and proves nothing about the authenticator.
    expect(await recover()).toEqual({ status: 200, stepUp: null });
    expect((await recover()).status).toBe(400);
  });

  test('an invitation works once, its link is kept as a hash only, and a role is what was given', async () => {
    const token = await invite('ada@example.com', 'responder');
    const look = await visitor().ask('POST', '/v1/invitations/look', { token });
    expect(look.body).toEqual({ email: 'ada@example.com', name: '', role: 'responder' });
    const held = await api.database.db.selectFrom('verifications').selectAll().execute();
    expect(JSON.stringify([held, api.logged])).not.toContain(token);
    const body = { token, name: 'Ada', password: PASSWORD };
    const ada = visitor();
    // Nobody gives themselves what the form does not have, be it accepted with a name or changed later.
    const more = { role: 'admin', setup_pending: false, email_verified: true };
    expect((await ada.ask('POST', '/v1/invitations/accept', { ...body, ...more })).status).toBe(400);
    expect((await ada.ask('POST', '/v1/invitations/accept', body)).body.me).toMatchObject({ role: 'responder' });
    expect((await visitor().ask('POST', '/v1/invitations/accept', body)).status).toBe(401);
    expect((await ada.ask('PATCH', '/v1/me', { name: 'Ada', ...more })).status).toBe(400);
    expect((await ada.ask('GET', '/v1/me')).body).toMatchObject({ role: 'responder', email: 'ada@example.com' });
    expect((await ada.ask('GET', '/v1/people')).status).toBe(403);
    expect((await admin.ask('POST', '/v1/people', { email: 'ada@example.com', role: 'viewer' })).status).toBe(409);
  });

  test('the last admin can’t be made less, not even by two at once, and another needs a fresh TOTP code', async () => {
    const people = (await admin.ask('GET', '/v1/people')).body.items as { id: string; email: string }[];
    const idOf = (email: string) => people.find((person) => person.email === email)!.id;
    const change = (id: string, body: object, who = admin) => who.ask('PATCH', `/v1/people/${id}`, body);
    for (const body of [{ role: 'viewer' }, { disabled: true }]) {
      expect((await change(idOf(ADMIN), body)).status).toBe(409);
    }
    await api.database.db.updateTable('sessions').set({ totp_proved_at: null }).execute();
    const refused = await change(idOf('ada@example.com'), { role: 'admin' });
    expect([refused.status, refused.body.type]).toEqual([403, 'urn:lanewatch:problem:step_up_needed']);
    expect((await admin.ask('POST', '/v1/me/step-up', { code: totpCode(uri) })).status).toBe(200);
    expect((await change(idOf('ada@example.com'), { role: 'admin' })).body).toMatchObject({ role: 'admin' });
    const both = await Promise.all([ADMIN, 'ada@example.com'].map((email) => change(idOf(email), { role: 'analyst' })));
    // Which one, and whether the other is refused as the last or by who is no admin any more, is theirs to race for.
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    const left = await api.database.db.selectFrom('users').select('id').where('role', '=', 'admin').execute();
    expect(left).toHaveLength(1);
    await api.database.db.updateTable('users').set({ role: 'admin' }).where('email', '=', ADMIN).execute();
    await change(idOf('ada@example.com'), { role: 'responder' });
  });

  test('whoever is disabled is out at once, by session and token, and can’t come back', async () => {
    const eve = await join('eve@example.com', 'analyst');
    const issued = await eve.ask('POST', '/v1/me/tokens', { name: 'script', access: 'read' });
    const bearer = { authorization: `Bearer ${issued.body.secret}` };
    expect((await visitor().ask('GET', '/v1/me', undefined, bearer)).status).toBe(200);
    const { id } = (await eve.ask('GET', '/v1/me')).body;
    expect((await admin.ask('PATCH', `/v1/people/${id}`, { disabled: true })).body.status).toBe('disabled');
    expect((await eve.ask('GET', '/v1/me')).status).toBe(401);
    expect((await visitor().ask('GET', '/v1/me', undefined, bearer)).status).toBe(401);
    expect((await signIn(visitor(), 'eve@example.com')).status).toBe(401);
  });

  test('a token does what its access and its owner’s role allow, and nothing of the account', async () => {
    const tim = await join('tim@example.com', 'responder');
    const tokenOf = async (access: string, who = tim) =>
      (await who.ask('POST', '/v1/me/tokens', { name: access, access })).body.secret as string;
    const withToken = (secret: string) => ({ authorization: `Bearer ${secret}` });
    const script = visitor();
    const read = withToken(await tokenOf('read'));
    const write = withToken(await tokenOf('write'));
    expect((await script.ask('GET', '/v1/me', undefined, read)).body).toMatchObject({ via: 'token', role: 'analyst' });
    const credential = { name: 'key', fingerprint: 'c'.repeat(64) };
    expect((await script.ask('POST', '/v1/credentials', credential, read)).status).toBe(403);
    expect((await script.ask('POST', '/v1/credentials', credential, write)).status).toBe(201);
    for (const path of ['/v1/me/sessions', '/v1/me/tokens']) {
      expect((await script.ask('GET', path, undefined, write)).status).toBe(403);
    }
    expect((await tim.ask('POST', '/v1/me/tokens', { name: 'x', access: 'admin' })).body.errors[0].path).toBe('access');
    // What its owner loses, it loses.
    const { id } = (await tim.ask('GET', '/v1/me')).body;
    await admin.ask('PATCH', `/v1/people/${id}`, { role: 'viewer' });
    expect((await script.ask('POST', '/v1/credentials', { ...credential, name: 'y' }, write)).status).toBe(403);
    const [token] = (await tim.ask('GET', '/v1/me/tokens')).body.items;
    // The registry tells of its use as of any key's.
    const ofToken = (await admin.ask('GET', `/v1/credentials/${token.id}`)).body;
    expect(ofToken.last_used_at).toBe(token.last_used_at);
    expect(ofToken.last_used_at).not.toBeNull();
    // Somebody else's is not found under one's own, whatever their role.
    expect((await admin.ask('POST', `/v1/me/tokens/${token.id}/revoke`)).status).toBe(404);
    expect((await tim.ask('POST', `/v1/me/tokens/${token.id}/revoke`)).status).toBe(204);
    expect((await script.ask('GET', '/v1/me', undefined, write)).status).toBe(401);
  });

  test('a token that its owner rotates works with both secrets while the old one has grace; another’s rotation opens nothing', async () => {
    const tom = await join('tom@example.com', 'responder');
    const issued = (await tom.ask('POST', '/v1/me/tokens', { name: 'nightly', access: 'write' })).body;
    const rotate = (who: Visitor) =>
      who.ask('POST', `/v1/credentials/${issued.token.id}/rotate`, { grace_seconds: 60 });
    const works = async (secret: string) =>
      (await visitor().ask('GET', '/v1/me', undefined, { authorization: `Bearer ${secret}` })).status;
    const own = (await rotate(tom)).body;
    expect([await works(issued.secret), await works(own.secret)]).toEqual([200, 200]);
    expect((await tom.ask('GET', '/v1/me/tokens')).body.items).toHaveLength(1);
    const anothers = (await rotate(admin)).body;
    expect([await works(own.secret), await works(anothers.secret)]).toEqual([200, 401]);
    await tom.ask('POST', `/v1/credentials/${issued.token.id}/regenerate`);
    expect([await works(issued.secret), await works(own.secret)]).toEqual([401, 401]);
  });

  test('a managed key that is nobody’s token opens nothing, whatever its scopes say', async () => {
    const scopes = [{ action: 'read', resource: 'query-api/*' }];
    const body = {
      kind: 'managed',
      name: 'svc',
      environment: 'development',
      owner: ADMIN,
      owner_kind: 'person',
      scopes,
    };
    const issued = await admin.ask('POST', '/v1/credentials', body);
    expect(issued.status, JSON.stringify(issued.body)).toBe(201);
    const bearer = { authorization: `Bearer ${issued.body.secret}` };
    expect((await visitor().ask('GET', '/v1/me', undefined, bearer)).status).toBe(401);
  });

  test('sessions are listed and end one by one; a changed password ends the others', async () => {
    const zoe = await join('zoe@example.com', 'viewer');
    const other = visitor();
    await signIn(other, 'zoe@example.com');
    const items = (await zoe.ask('GET', '/v1/me/sessions')).body.items as { id: string; is_this_one: boolean }[];
    expect(items.map((one) => one.is_this_one).sort()).toEqual([false, true]);
    const theirs = (await admin.ask('GET', '/v1/me/sessions')).body.items[0];
    expect((await zoe.ask('POST', `/v1/me/sessions/${theirs.id}/revoke`)).status).toBe(404);
    const { id } = items.find((one) => !one.is_this_one)!;
    expect((await zoe.ask('POST', `/v1/me/sessions/${id}/revoke`)).status).toBe(204);
    expect((await other.ask('GET', '/v1/me')).status).toBe(401);
    await signIn(other, 'zoe@example.com');
    const change = { current_password: PASSWORD, new_password: 'another long password' };
    expect((await zoe.ask('POST', '/v1/me/password', { ...change, current_password: 'no' })).status).toBe(400);
    expect((await zoe.ask('POST', '/v1/me/password', change)).status).toBe(204);
    expect((await zoe.ask('PATCH', '/v1/me', { name: 'Zoë' })).body.name).toBe('Zoë');
    expect((await zoe.ask('GET', '/v1/me')).status).toBe(200);
    expect((await other.ask('GET', '/v1/me')).status).toBe(401);
  });

  test('signing in makes a new session, whatever cookie was brought along', async () => {
    const who = visitor();
    who.cookies.set(SESSION_COOKIE, 'planted.by-somebody-else');
    await signIn(who, 'zoe@example.com', 'another long password');
    const mine = who.cookies.get(SESSION_COOKIE)!;
    await signIn(who, 'zoe@example.com', 'another long password');
    expect(who.cookies.get(SESSION_COOKIE)).not.toBe(mine);
    expect(mine).not.toContain('planted');
  });

  test('the trail names who did what to which account, and no secret of theirs', async () => {
    const { items } = await readAudit(api.database.db, {}, { limit: 200 });
    const said = items.map(({ actor, action, subject, changes }) =>
      [actor, action, subject.id, ...changes.map(({ before, after }) => `${before} to ${after}`)].join(' '),
    );
    expect(said).toContain(`${ADMIN} person.invited ada@example.com null to responder`);
    expect(said).toContain(`${ADMIN} person.role_changed ada@example.com responder to admin`);
    expect(said).toContain('zoe@example.com account.password_changed zoe@example.com');
    expect(said).toContain('zoe@example.com account.renamed zoe@example.com zoe to Zoë');
    // Every table there is, those that later versions add among them.
    const tables = (
      await sql<{ name: string }>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`.execute(
        api.database.db,
      )
    ).rows.map(({ name }) => name);
    expect(tables).toEqual(expect.arrayContaining(['users', 'two_factors', 'personal_tokens', 'audit_trail']));
    const rows = await Promise.all(
      tables.map((table) =>
        api.database.db
          .selectFrom(table as 'users')
          .selectAll()
          .execute(),
      ),
    );
    const everything = JSON.stringify([rows, api.logged]);
    for (const secret of [
      PASSWORD,
      'another long password',
      new URL(uri).searchParams.get('secret')!,
      ...recoveryCodes,
    ]) {
      expect(everything).not.toContain(secret);
    }
  });
});
