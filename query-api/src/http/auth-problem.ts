import { APIError } from 'better-auth/api';
import { PASSWORD_CHARS_MIN } from '../../contract/index.ts';
import { fieldProblem, ProblemError } from './problem.ts';

/** What the library refuses, by its codes, in this API's words. None of them says more about an account than its owner knows. */
const PROBLEMS: Record<string, () => ProblemError> = {
  LINK_INVALID: () =>
    new ProblemError(
      'link_invalid',
      'It was used before, is older than a day, or is no sign-in link. "npm run -s lanewatch -- sign-in" prints a new one.',
    ),
  INVALID_PASSWORD: () => fieldProblem('password', 'is not right'),
  PASSWORD_TOO_SHORT: () => fieldProblem('password', `must have at least ${PASSWORD_CHARS_MIN} characters`),
  PASSWORD_TOO_LONG: () => fieldProblem('password', 'is too long'),
  INVALID_CODE: () => fieldProblem('code', 'is not right, or too old'),
  INVALID_BACKUP_CODE: () => fieldProblem('code', 'is no recovery code, or was used'),
  TOTP_NOT_ENABLED: () => new ProblemError('conflict', 'There is no authenticator on this account.'),
  TWO_FACTOR_NOT_ENABLED: () => new ProblemError('conflict', 'There is no authenticator on this account.'),
  TOTP_ALREADY_ENABLED: () => new ProblemError('conflict', 'There is an authenticator already: remove it first.'),
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: () =>
    new ProblemError('conflict', 'Somebody here has this e-mail address already.', [
      { path: 'email', message: 'is taken' },
    ]),
  BANNED_USER: () => new ProblemError('sign_in_refused', 'This account is disabled. An admin can enable it.'),
};

/** Turns what the library throws into a problem; anything else stays what it is. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof APIError)) return error;
  const code = (error.body as { code?: string } | undefined)?.code ?? '';
  return PROBLEMS[code]?.() ?? (error.statusCode === 401 ? signInRefused() : error);
}

/** The one answer to everything that is wrong about signing in. */
export function signInRefused(): ProblemError {
  return new ProblemError('sign_in_refused', 'E-mail, password or code is not right.');
}
