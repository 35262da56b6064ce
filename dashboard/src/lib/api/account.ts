import {
  invitationLookSchema,
  invitedSchema,
  meSchema,
  oidcStartedSchema,
  passkeysSchema,
  peopleSchema,
  personSchema,
  recoveryCodesSchema,
  sessionsSchema,
  signInMethodsSchema,
  signInStepSchema,
  tokenCreatedSchema,
  tokensSchema,
  totpStartedSchema,
  webauthnSchema,
  type Role,
  type TokenAccess,
} from '@lanewatch/query-api/contract';
import { z } from 'zod';
import type { Calls } from './client.ts';

type Json = Record<string, unknown>;

/** What an answer without a body is read by. */
const nothingSchema = z.unknown();
const segment = encodeURIComponent;

/** Signing in, one's own account, and people, as the pages ask for them. */
export function accountCalls({ read, command, request }: Calls) {
  const bare = (path: string, body: unknown = {}) => command(nothingSchema, path, body);
  return {
    me: () => read(meSchema, '/v1/me'),
    signInMethods: () => read(signInMethodsSchema, '/v1/sign-in/methods'),
    /** Exchanges the link, which uses it up; the cookies of the answer carry the session. */
    signIn: (link: string) => command(meSchema, '/v1/sign-in', { link }, SIGNING_IN),
    /** The same as a script does: it leaves the link to others. */
    signInAsScript: (link: string) => request('GET', `/sign-in?link=${segment(link)}`),
    signInByPassword: (email: string, password: string) =>
      command(signInStepSchema, '/v1/sign-in/password', { email, password }, SIGNING_IN),
    signInBySecondFactor: (code: string, kind: 'totp' | 'recovery_code') =>
      command(signInStepSchema, '/v1/sign-in/second-factor', { code, kind }, SIGNING_IN),
    signOut: () => request('POST', '/v1/sign-out', {}),
    setUp: (body: { name: string; email: string; password: string }) => command(meSchema, '/v1/me/setup', body),
    rename: (name: string) => command(meSchema, '/v1/me', { name }, { method: 'PATCH' }),
    changePassword: (body: { current_password: string; new_password: string }) => bare('/v1/me/password', body),
    sessions: () => read(sessionsSchema, '/v1/me/sessions'),
    revokeSession: (id: string) => bare(`/v1/me/sessions/${segment(id)}/revoke`),
    startTotp: (password: string) => command(totpStartedSchema, '/v1/me/totp', withPassword(password)),
    confirmTotp: (code: string) => command(meSchema, '/v1/me/totp/confirm', { code }),
    removeTotp: (password: string) => bare('/v1/me/totp/remove', withPassword(password)),
    renewRecoveryCodes: (password: string) =>
      command(recoveryCodesSchema, '/v1/me/recovery-codes', withPassword(password)),
    stepUp: (code: string) => command(meSchema, '/v1/me/step-up', { code }),
    passkeys: () => read(passkeysSchema, '/v1/me/passkeys'),
    passkeyOptions: () => command(webauthnSchema, '/v1/me/passkeys/options', {}),
    addPasskey: (name: string, response: Json) => bare('/v1/me/passkeys', { name, response }),
    removePasskey: (id: string) => bare(`/v1/me/passkeys/${segment(id)}/remove`),
    passkeySignInOptions: () => command(webauthnSchema, '/v1/sign-in/passkey/options', {}, SIGNING_IN),
    signInByPasskey: (response: Json) => command(meSchema, '/v1/sign-in/passkey', { response }, SIGNING_IN),
    startOidc: () => command(oidcStartedSchema, '/v1/sign-in/oidc', {}, SIGNING_IN),
    finishOidc: (query: Record<string, string>) => command(meSchema, '/v1/sign-in/oidc/callback', query, SIGNING_IN),
    tokens: () => read(tokensSchema, '/v1/me/tokens'),
    createToken: (body: { name: string; access: TokenAccess; expires_in_days: number }) =>
      command(tokenCreatedSchema, '/v1/me/tokens', body),
    revokeToken: (id: string) => bare(`/v1/me/tokens/${segment(id)}/revoke`),
    people: () => read(peopleSchema, '/v1/people'),
    invite: (body: { email: string; name: string; role: Role }) => command(invitedSchema, '/v1/people', body),
    changePerson: (id: string, body: { role?: Role; disabled?: boolean }) =>
      command(personSchema, `/v1/people/${segment(id)}`, body, { method: 'PATCH' }),
    newInvitationLink: (id: string) => command(invitedSchema, `/v1/people/${segment(id)}/link`, {}),
    lookAtInvitation: (token: string) => command(invitationLookSchema, '/v1/invitations/look', { token }, SIGNING_IN),
    acceptInvitation: (body: { token: string; name: string; password: string }) =>
      command(signInStepSchema, '/v1/invitations/accept', body, SIGNING_IN),
  };
}

/** A 401 here says that what was typed is wrong, not that a session has ended. */
const SIGNING_IN = { keeps401: true } as const;

const withPassword = (password: string) => (password === '' ? {} : { password });
