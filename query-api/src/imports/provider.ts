import { z } from 'zod';

/** A key as its provider's admin interface tells of it; never the key itself. */
export interface ProviderKey {
  /** The provider's own id of it. */
  id: string;
  name: string;
  /** Masked form; '' where the provider shows none. */
  hint: string;
  isActive: boolean;
  /** Mail address of a person or name of a service account; ''. */
  owner: string;
  ownerKind: 'person' | 'service_account' | '';
  /** Workspace or project; ''. */
  project: string;
  /** RFC 3339; null when it never ends. */
  expiresAt: string | null;
}

/** What a provider counted of a key, a model and a UTC day. */
export interface ProviderUsage {
  /** '' for what was used without a key, such as in the provider's console. */
  keyId: string;
  /** `2026-11-20` */
  day: string;
  model: string;
  inputUncached: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

/** What a provider billed for tokens of a UTC day, of all keys together: its reports of cost name no key. */
export interface ProviderCost {
  /** `2026-11-20` */
  day: string;
  usd: number;
}

/** A provider's admin interface, read only. */
export interface AdminApi {
  keys(): Promise<ProviderKey[]>;
  /** Of whole UTC days. @param fromMs the first one's beginning; @param untilMs the end of the last one */
  usage(fromMs: number, untilMs: number): Promise<ProviderUsage[]>;
  /** Of the same days; several of one day add up. @param models those that were used, by which tokens are told from what else is billed */
  costs(fromMs: number, untilMs: number, models: ReadonlySet<string>): Promise<ProviderCost[]>;
}

export const PROVIDERS = ['anthropic', 'openai'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** Where an admin interface is, and what opens it. */
export interface AdminAccess {
  url: string;
  key: string;
}

/** The provider did not answer as it should; the message names what to do and holds nothing that was sent or answered. */
export class AdminApiError extends Error {
  readonly isRefused: boolean;
  constructor(message: string, isRefused: boolean) {
    super(message);
    this.name = 'AdminApiError';
    this.isRefused = isRefused;
  }
}

/** Reads one page. Parameters with several values are repeated. */
export type ReadPage = (path: string, parameters: Record<string, string | readonly string[]>) => Promise<unknown>;

/** How a provider's lists go on. */
export interface Paging {
  provider: ProviderName;
  /** Items of a page. */
  limit: string;
  /** Parameter that names the last item that is known. */
  after: string;
}

/** An answer in the form that is known. @throws {AdminApiError} naming where it differs */
function parsed<Value>(provider: ProviderName, schema: z.ZodType<Value>, answer: unknown, path: string): Value {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join('.') ?? '';
  throw new AdminApiError(
    `The admin interface of ${provider} answered ${path} in another form than is known, at ${at}.`,
    false,
  );
}

/** Follows pages to the last. @param readFrom reads one, from its beginning on where it has a name; answers where the next begins, null at the end */
async function eachPage(
  provider: ProviderName,
  path: string,
  readFrom: (start: string | null) => Promise<string | null>,
): Promise<void> {
  let start: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const next = await readFrom(start);
    if (next === null || next === start) return;
    start = next;
  }
  throw new AdminApiError(`The admin interface of ${provider} goes on with ${path} beyond ${PAGES_MAX} pages.`, false);
}

/** All items of a list, page by page. */
export async function listed<Item>(
  read: ReadPage,
  { provider, limit, after }: Paging,
  path: string,
  item: z.ZodType<Item>,
): Promise<Item[]> {
  const pageSchema = z.object({
    data: z.array(item),
    has_more: z.boolean().catch(false),
    last_id: z.string().nullish(),
  });
  const items: Item[] = [];
  await eachPage(provider, path, async (start) => {
    const answer = await read(path, { limit, ...(start === null ? {} : { [after]: start }) });
    const { data, has_more, last_id } = parsed(provider, pageSchema, answer, path);
    items.push(...data);
    return has_more ? (last_id ?? null) : null;
  });
  return items;
}

/** Days of a report's page, the most that both providers give. */
const DAYS_PER_PAGE = '31';

/** All days of a usage report, page by page. @param asked its bounds and groups, as the provider names them */
export async function reported<Bucket>(
  read: ReadPage,
  provider: ProviderName,
  path: string,
  asked: Parameters<ReadPage>[1],
  bucket: z.ZodType<Bucket>,
): Promise<Bucket[]> {
  const reportSchema = z.object({
    data: z.array(bucket),
    has_more: z.boolean().nullish(),
    next_page: z.string().nullish(),
  });
  const buckets: Bucket[] = [];
  await eachPage(provider, path, async (start) => {
    const parameters = { ...asked, bucket_width: '1d', limit: DAYS_PER_PAGE };
    const answer = await read(path, { ...parameters, ...(start === null ? {} : { page: start }) });
    const { data, has_more, next_page } = parsed(provider, reportSchema, answer, path);
    buckets.push(...data);
    return has_more === false ? null : (next_page ?? null);
  });
  return buckets;
}

const TIMEOUT_MS = 20_000;
const TRIES_MAX = 4;
const WAIT_MS_MAX = 30_000;
/** Beyond this something is wrong with the paging. */
const PAGES_MAX = 1_000;

/**
 * Makes what reads pages of an admin interface. Too many requests and faults of the provider are tried again, as late as it asks, a few times.
 * @param wait resolves after so many milliseconds
 */
export function pageReader(
  provider: ProviderName,
  access: AdminAccess,
  headers: Record<string, string>,
  wait: (ms: number) => Promise<unknown>,
): ReadPage {
  return async (path, parameters) => {
    const url = new URL(access.url.replace(/\/+$/, '') + path);
    for (const [name, values] of Object.entries(parameters))
      for (const value of typeof values === 'string' ? [values] : values) url.searchParams.append(name, value);
    for (let tries = 1; ; tries++) {
      const answer = await fetch(url, {
        headers: { accept: 'application/json', ...headers },
        // The key goes nowhere else.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => null);
      if (answer?.ok === true)
        return answer.json().catch(() => {
          throw new AdminApiError(`The admin interface of ${provider} answered ${path} with what is no JSON.`, false);
        });
      await answer?.body?.cancel();
      const status = answer?.status ?? 0;
      if (status === 401 || status === 403)
        throw new AdminApiError(
          `${provider} refused the admin key with ${status} at ${path}: it must be an admin key of the organization that is not revoked.`,
          true,
        );
      const mayHelp = status === 0 || status === 429 || status >= 500;
      if (!mayHelp || tries >= TRIES_MAX)
        throw new AdminApiError(
          status === 0
            ? `The admin interface of ${provider} was not reached.`
            : `The admin interface of ${provider} answered ${path} with ${status}.`,
          false,
        );
      await wait(Math.min(retryAfterMs(answer?.headers.get('retry-after') ?? null) ?? 1_000 * 2 ** tries, WAIT_MS_MAX));
    }
  };
}

function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
