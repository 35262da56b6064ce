import type { ErrorForm } from './providers.ts';

export interface ProxyRefusal {
  status: number;
  body: string;
}

/** Words of the providers for a status; what their clients decide by whether to try again. */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = { 403: 'permission_error', 404: 'not_found_error' };
const GOOGLE_STATUSES: Readonly<Record<number, string>> = { 403: 'PERMISSION_DENIED', 404: 'NOT_FOUND' };

/**
 * An error of the proxy itself in the provider's own form, so that a client shows its sentence.
 * @param code a word that scripts can look for: `lanewatch_policy_<name>`, or what failed
 */
export function refusalIn(form: ErrorForm, status: number, sentence: string, code: string): ProxyRefusal {
  return { status, body: JSON.stringify(bodyIn(form, status, `Lanewatch: ${sentence}`, code)) };
}

function bodyIn(form: ErrorForm, status: number, message: string, code: string): object {
  switch (form) {
    case 'anthropic':
      return { type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message, code } };
    case 'google': {
      const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: code, domain: 'lanewatch' }];
      return { error: { code: status, message, status: GOOGLE_STATUSES[status] ?? 'UNAVAILABLE', details } };
    }
    case 'openai': {
      const type = status < 500 ? 'invalid_request_error' : 'server_error';
      return { error: { message, type, param: null, code } };
    }
  }
}
