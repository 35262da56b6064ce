import { firstText } from '../access-log.ts';

/** Who asked, by what AWS calls them. */
export interface Principal {
  /** Names the lane: the user, or the role without the session of it, which is another every time. */
  hint: string | undefined;
  user: string | undefined;
  account: string | undefined;
}

/** What an ARN of a caller says. A role is taken on under a session name, by sign-ins the person's. */
export function principalOf(arn: string | undefined): Principal {
  const [, account, resource] = /^arn:[\w-]+:(?:iam|sts)::(\d{12})?:(.+)$/.exec(arn ?? '') ?? [];
  if (resource === undefined) return { hint: arn, user: undefined, account: undefined };
  const session = /^(assumed-role\/[^/]+)\/(.+)$/.exec(resource);
  if (session !== null) return { hint: arn!.slice(0, arn!.length - session[2]!.length - 1), user: session[2], account };
  return { hint: arn, user: resource.startsWith('user/') ? resource.split('/').at(-1) : undefined, account };
}

/** `anthropic.claude-sonnet-4-5-20250929-v1:0` of that or of the ARN of a model or profile. */
export const modelOf = (id: string | undefined): string | undefined =>
  id?.startsWith('arn:') ? id.slice(id.lastIndexOf('/') + 1) : firstText({ id }, 'id');

/** What came of a call by the name of AWS's error. */
export function outcomeOf(errorCode: string | undefined): string {
  if (errorCode === undefined) return 'success';
  if (/AccessDenied|Unauthorized|ExpiredToken|UnrecognizedClient|InvalidSignature/i.test(errorCode)) return 'denied';
  return /Throttling|TooManyRequests|QuotaExceeded/i.test(errorCode) ? 'rate_limited' : 'failed';
}
