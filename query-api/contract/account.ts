import { z } from 'zod';
import { instantSchema } from './common.ts';

/** `POST /v1/sign-in`: exchanges the one-time token of a sign-in link (its `link` parameter) for the session cookie. */
export const signInSchema = z.object({ link: z.string().min(1).max(200) });

/** `GET /v1/me`, and the answer of signing in. */
export const meSchema = z.object({ name: z.string(), session_expires_at: instantSchema });
export type Me = z.infer<typeof meSchema>;

/** Name of the session cookie: HttpOnly, without Domain, so that it holds on every port of the host. */
export const SESSION_COOKIE = 'lanewatch_session';

/**
 * Header of requests that a page makes by itself, with the value `1`. They are answered like any other and do not count as use,
 * so that a page left open does not keep its session from ending.
 */
export const UNATTENDED_HEADER = 'lanewatch-unattended';
