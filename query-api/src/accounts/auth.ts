import { passkey } from '@better-auth/passkey';
import { betterAuth } from 'better-auth';
import { admin, genericOAuth, twoFactor } from 'better-auth/plugins';
import { createAccessControl } from 'better-auth/plugins/access';
import { adminAc, defaultStatements } from 'better-auth/plugins/admin/access';
import { CamelCasePlugin } from 'kysely';
import { ACCOUNT_COOKIE_PREFIX, PASSWORD_CHARS_MIN, SESSION_COOKIE } from '../../contract/index.ts';
import type { Config } from '../config.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import { linkSignIn } from './link-sign-in.ts';

/** How often a session's last use is written: once a minute keeps reads free of writes. */
const TOUCH_S = 60;
const INVITATION_S = 3 * 24 * 3600;
export const OIDC_PROVIDER = 'oidc';

const accessControl = createAccessControl(defaultStatements);
const nothing = accessControl.newRole({ user: [], session: [] });

/**
 * better-auth over the registry's store: passwords, sessions, TOTP, passkeys and OIDC are its work. It answers no request itself;
 * routes call it, so that what goes in and out follows this API's contract, and roles are checked in one place.
 * @param onPasswordLink receives the token of an invitation; the library would send it by mail
 * @param log of what the library has to say; it names no secrets
 */
export function createAuth(
  db: RegistryDatabase,
  config: Config,
  onPasswordLink: (userId: string, token: string) => void,
  log: (level: 'info' | 'warn' | 'error' | 'debug', message: string) => void,
) {
  const { oidc, dashboardUrl } = config;
  const dashboard = new URL(dashboardUrl);
  return betterAuth({
    appName: 'Lanewatch',
    secret: config.authSecret,
    baseURL: config.dashboardUrl,
    trustedOrigins: [dashboard.origin],
    telemetry: { enabled: false },
    logger: { log: (level, message) => log(level, message) },
    // The registry's own migrations make the tables; names of columns there are snake case.
    database: { db: db.withPlugin(new CamelCasePlugin()), type: 'postgres' },
    advanced: {
      cookiePrefix: ACCOUNT_COOKIE_PREFIX.slice(0, -1),
      cookies: { session_token: { name: SESSION_COOKIE } },
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/', secure: config.secureCookies },
      ipAddress: { ipAddressHeaders: ['x-forwarded-for'] },
      database: { validateSchema: false },
    },
    session: {
      modelName: 'sessions',
      expiresIn: config.sessionIdleSeconds,
      updateAge: Math.min(TOUCH_S, config.sessionIdleSeconds / 2),
      freshAge: 0,
      additionalFields: { totpProvedAt: { type: 'date', required: false, input: false } },
    },
    user: {
      modelName: 'users',
      additionalFields: { setupPending: { type: 'boolean', required: false, defaultValue: false, input: false } },
    },
    account: { modelName: 'userAccounts', encryptOAuthTokens: true, accountLinking: { enabled: true } },
    verification: { modelName: 'verifications', storeIdentifier: 'hashed' },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_CHARS_MIN,
      resetPasswordTokenExpiresIn: INVITATION_S,
      revokeSessionsOnPasswordReset: true,
      sendResetPassword: async ({ user, token }) => onPasswordLink(user.id, token),
    },
    plugins: [
      admin({
        ac: accessControl,
        roles: { viewer: nothing, analyst: nothing, responder: nothing, admin: adminAc },
        adminRoles: ['admin'],
        defaultRole: config.oidc?.role ?? 'viewer',
      }),
      twoFactor({
        issuer: 'Lanewatch',
        allowPasswordless: true,
        schema: { twoFactor: { modelName: 'twoFactors' } },
      }),
      passkey({
        rpID: dashboard.hostname,
        rpName: 'Lanewatch',
        origin: dashboard.origin,
        advanced: { webAuthnChallengeCookie: 'passkey' },
        // Its field is called credentialID, which no column name in snake case turns back into.
        schema: { passkey: { modelName: 'passkeys', fields: { credentialID: 'credentialId' } } },
      }),
      genericOAuth({
        config:
          oidc === null
            ? []
            : [
                {
                  providerId: OIDC_PROVIDER,
                  discoveryUrl: `${oidc.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
                  clientId: oidc.clientId,
                  clientSecret: oidc.clientSecret,
                  redirectURI: new URL('/sign-in/oidc', dashboardUrl).href,
                  scopes: ['openid', 'email', 'profile'],
                  pkce: true,
                  requireIdTokenVerification: true,
                  disableSignUp: oidc.role === null,
                },
              ],
      }),
      linkSignIn(),
    ],
  });
}
export type Auth = ReturnType<typeof createAuth>;
