/**
 * Hints: the masked display form of a key. Pure string work without Node imports, because the dashboard computes
 * hints in the browser, where a pasted key must stay.
 *
 * Grammar: `<recognised prefix><first 3>...<last 4>`, as provider consoles print it
 * (`sk-ant-api03-R2D...igAA`), so that our events join on the hints that provider admin APIs report.
 */

interface KnownPrefix {
  prefix: string;
  provider: string;
}

/** Longest first, so that `sk-ant-api03-` wins over `sk-`. Prefix facts: the providers' published key formats. */
const KNOWN_PREFIXES: KnownPrefix[] = [
  { prefix: 'sk-ant-api03-', provider: 'anthropic' },
  { prefix: 'sk-ant-admin01-', provider: 'anthropic' },
  { prefix: 'sk-ant-oat01-', provider: 'anthropic' },
  { prefix: 'sk-ant-ort01-', provider: 'anthropic' },
  { prefix: 'sk-ant-', provider: 'anthropic' },
  { prefix: 'sk-proj-', provider: 'openai' },
  { prefix: 'sk-svcacct-', provider: 'openai' },
  { prefix: 'sk-admin-', provider: 'openai' },
  { prefix: 'sk-or-v1-', provider: 'openrouter' },
  { prefix: 'sk_live_', provider: 'stripe' },
  { prefix: 'sk_test_', provider: 'stripe' },
  { prefix: 'rk_live_', provider: 'stripe' },
  { prefix: 'rk_test_', provider: 'stripe' },
  { prefix: 'github_pat_', provider: 'github' },
  { prefix: 'ghp_', provider: 'github' },
  { prefix: 'gho_', provider: 'github' },
  { prefix: 'ghu_', provider: 'github' },
  { prefix: 'ghs_', provider: 'github' },
  { prefix: 'ghr_', provider: 'github' },
  { prefix: 'api_org_', provider: 'huggingface' },
  { prefix: 'hf_', provider: 'huggingface' },
  { prefix: 'xai-', provider: 'xai' },
  { prefix: 'gsk_', provider: 'groq' },
  { prefix: 'pplx-', provider: 'perplexity' },
  { prefix: 'r8_', provider: 'replicate' },
  { prefix: 'nvapi-', provider: 'nvidia' },
  { prefix: 'lw_prod_', provider: 'lanewatch' },
  { prefix: 'lw_staging_', provider: 'lanewatch' },
  { prefix: 'lw_sandbox_', provider: 'lanewatch' },
  { prefix: 'lw_dev_', provider: 'lanewatch' },
  { prefix: 'AIza', provider: 'google' },
  { prefix: 'AKIA', provider: 'aws' },
  { prefix: 'ASIA', provider: 'aws' },
  { prefix: 'sk-', provider: 'openai' },
];

const HEAD_CHARS = 3;
const TAIL_CHARS = 4;
/** Below this many characters after the prefix, 3 + 4 shown ones would give away too much of the key. */
const BODY_CHARS_MIN = 16;

function knownPrefixOf(secret: string): KnownPrefix | undefined {
  return KNOWN_PREFIXES.find(({ prefix }) => secret.startsWith(prefix));
}

/**
 * The hint of a raw key. Never returns the key itself.
 * @param secret the raw key, already trimmed
 */
export function hintOf(secret: string): string {
  const prefix = knownPrefixOf(secret)?.prefix ?? '';
  const body = secret.slice(prefix.length);
  if (body.length < BODY_CHARS_MIN) return `${prefix}...`;
  return `${prefix}${body.slice(0, HEAD_CHARS)}...${body.slice(-TAIL_CHARS)}`;
}

/** The provider whose published key format the key (or hint) begins with, or '' when none does. */
export function providerOfKey(secretOrHint: string): string {
  return knownPrefixOf(secretOrHint)?.provider ?? '';
}

/**
 * Splits a masked form `A...B` (also with `…` or asterisks as the mask) into its shown ends; null when it is not masked.
 * Takes time in proportion to the length of any text, because senders choose it.
 */
export function hintEnds(hint: string): { head: string; tail: string } | null {
  const parts = /^([^*…]*?)(?:(?<!\.)\.{3,}(?!\.)|…+|\*{3,})([^*….]*)$/u.exec(hint);
  return parts ? { head: parts[1] ?? '', tail: parts[2] ?? '' } : null;
}

/** What a masked form of an unknown format may show in front: a short prefix, or the first characters of the key. */
const UNKNOWN_HEAD_CHARS_MAX = 8;
const KEY_CHARACTERS = /^[\x21-\x7e]*$/;

/**
 * One spelling for equal hints: the mask becomes `...`, outer blanks go, and of a key no more is shown than its prefix with three
 * characters and its last four, whatever its sender thought enough (eight in front where the prefix is unknown). Unmasked labels, and
 * texts with a mask in them, come back trimmed.
 */
export function canonicalHint(hint: string): string {
  const trimmed = hint.trim();
  const ends = hintEnds(trimmed);
  if (ends === null) return trimmed;
  const { head, tail } = ends;
  const prefix = knownPrefixOf(head)?.prefix;
  const headChars = prefix === undefined ? UNKNOWN_HEAD_CHARS_MAX : prefix.length + HEAD_CHARS;
  const isShort = head.length <= headChars && tail.length <= TAIL_CHARS;
  if (isShort || !KEY_CHARACTERS.test(head) || !KEY_CHARACTERS.test(tail)) return `${withoutLastDots(head)}...${tail}`;
  return `${withoutLastDots(head.slice(0, headChars))}...${tail.slice(-TAIL_CHARS)}`;
}

/** Dots before the mask would read as part of it. */
function withoutLastDots(head: string): string {
  let end = head.length;
  while (end > 0 && head[end - 1] === '.') end--;
  return head.slice(0, end);
}
