import { z } from 'zod';
import { instantSchema } from './common.ts';
import { roleSchema } from './roles.ts';

/** Name of the session cookie: HttpOnly, without Domain, so that it holds on every port of the host. */
export const SESSION_COOKIE = 'lanewatch_session';

/**
 * Every other cookie that signing in uses begins so. The dashboard hands those of its visitors on to query-api, and what query-api sets
 * back to them.
 */
export const ACCOUNT_COOKIE_PREFIX = 'lanewatch.';

/**
 * Header of requests that a page makes by itself, with the value `1`. They are answered like any other and do not count as use,
 * so that a page left open does not keep its session from ending.
 */
export const UNATTENDED_HEADER = 'lanewatch-unattended';

/** The shortest password taken. Length is what makes one strong; nothing is asked of its characters. */
export const PASSWORD_CHARS_MIN = 12;
const PASSWORD_CHARS_MAX = 128;
/** How long a TOTP proof lasts for what needs one: granting `execute` or `admin`. */
export const STEP_UP_MINUTES = 15;

export const newPasswordSchema = z
  .string()
  .min(PASSWORD_CHARS_MIN, `must have at least ${PASSWORD_CHARS_MIN} characters`)
  .max(PASSWORD_CHARS_MAX);
/** A password as it is typed to sign in: whatever was once set. */
const typedPasswordSchema = z.string().max(PASSWORD_CHARS_MAX);
const personNameSchema = z.string().trim().min(1).max(120);
const emailSchema = z.email().max(254).toLowerCase();
const codeSchema = z.string().trim().min(6).max(20);

/** `GET /v1/me`, and the answer of signing in. */
export const meSchema = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role: roleSchema,
  via: z.enum(['session', 'token']).describe('How the request was signed in: by the cookie or by a personal API token'),
  session_expires_at: instantSchema.nullable().describe('Without use until then; null for a token without an end'),
  setup: z
    .enum(['done', 'optional', 'required'])
    .describe('Whether name, e-mail and password are still to be told; `optional` on an installation of one machine'),
  has_password: z.boolean(),
  totp_enabled: z.boolean(),
  stepped_up_until: instantSchema.nullable().describe('Until when a TOTP code proved by this session counts'),
});
export type Me = z.infer<typeof meSchema>;

/** `POST /v1/sign-in`: exchanges the token of a sign-in link (its `link` parameter) for the session cookie. */
export const signInSchema = z.object({ link: z.string().min(1).max(200) });

/** `POST /v1/sign-in/password` */
export const passwordSignInSchema = z.object({ email: emailSchema, password: typedPasswordSchema.min(1) });

/** Answer of the steps of signing in: done, or a second factor is asked for. */
export const signInStepSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('signed_in'), me: meSchema }),
  z.object({ status: z.literal('second_factor_needed') }),
]);
export type SignInStep = z.infer<typeof signInStepSchema>;

/** `POST /v1/sign-in/second-factor` */
export const secondFactorSchema = z.object({
  code: codeSchema,
  kind: z.enum(['totp', 'recovery_code']).default('totp'),
});

/** `GET /v1/sign-in/methods`: what the sign-in page offers. */
export const signInMethodsSchema = z.object({
  password: z.boolean().describe('Whether anybody has set one yet'),
  passkeys: z.boolean().describe('Browsers take none on an address of digits, such as 127.0.0.1'),
  oidc: z.object({ name: z.string() }).nullable(),
});
export type SignInMethods = z.infer<typeof signInMethodsSchema>;

/** `POST /v1/me/setup`, once, by the first admin. */
export const setupSchema = z.object({ name: personNameSchema, email: emailSchema, password: newPasswordSchema });

/** `PATCH /v1/me` */
export const profileChangeSchema = z.object({ name: personNameSchema });

/** `POST /v1/me/password`; the present one is asked for where there is one. */
export const passwordChangeSchema = z.object({
  current_password: typedPasswordSchema,
  new_password: newPasswordSchema,
});

/** `POST /v1/me/step-up`, `POST /v1/me/totp/confirm` */
export const totpCodeSchema = z.object({ code: codeSchema });
/** What changes the second factor asks for the password, where there is one. */
export const ownPasswordSchema = z.object({ password: typedPasswordSchema.optional() });

/** Answer of `POST /v1/me/totp`: shown once. */
export const totpStartedSchema = z.object({
  uri: z.string().describe('otpauth:// URI for an authenticator'),
  recovery_codes: z.array(z.string()),
});
export const recoveryCodesSchema = z.object({ recovery_codes: z.array(z.string()) });

export const sessionItemSchema = z.object({
  id: z.string(),
  is_this_one: z.boolean(),
  created_at: instantSchema,
  last_used_at: instantSchema,
  expires_at: instantSchema,
  ip: z.string(),
  user_agent: z.string(),
});
/** `GET /v1/me/sessions` */
export const sessionsSchema = z.object({ items: z.array(sessionItemSchema) });
export type SessionItem = z.infer<typeof sessionItemSchema>;

/** `POST /v1/sign-in/oidc` */
export const oidcStartedSchema = z.object({ url: z.string() });
/** `POST /v1/sign-in/oidc/callback`: what the provider sent the browser back with. */
export const oidcCallbackSchema = z.object({
  state: z.string().max(500),
  code: z.string().max(2000).optional(),
  iss: z.string().max(500).optional(),
  error: z.string().max(200).optional(),
});

/** What the browser's WebAuthn call takes, and gives. */
export const webauthnSchema = z.record(z.string(), z.unknown());
export const passkeySchema = z.object({ id: z.string(), name: z.string(), created_at: instantSchema.nullable() });
export type Passkey = z.infer<typeof passkeySchema>;
export const passkeysSchema = z.object({ items: z.array(passkeySchema) });
/** `POST /v1/me/passkeys` */
export const passkeyCreateSchema = z.object({ name: z.string().trim().min(1).max(80), response: webauthnSchema });
/** `POST /v1/sign-in/passkey` */
export const passkeySignInSchema = z.object({ response: webauthnSchema });
