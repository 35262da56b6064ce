import { plainSpelling } from './spelling.ts';

export interface AgentName {
  name: string;
  version: string;
}

/** Programs that call themselves several names. A name that is not here is its own, in lower case with dashes. */
const SAME_AGENT: Record<string, string> = {
  'claude-cli': 'claude-code',
  claudecode: 'claude-code',
  'codex-cli': 'codex',
  'codex-cli-rs': 'codex',
  'codex-exec': 'codex',
  'codex-tui': 'codex',
  geminicli: 'gemini-cli',
  githubcopilotchat: 'github-copilot-chat',
  githubcopilotcli: 'github-copilot-cli',
  'copilot-cli': 'github-copilot-cli',
  edg: 'edge',
  opr: 'opera',
};

/** `OpenAI/Python 1.40.0`, `AsyncAnthropic/Python 0.39.0`: the SDKs of several providers name their language like a version. */
const SDK = /^(?:Async)?([A-Za-z][\w.-]*)\/([A-Za-z][\w.-]*) (v?\d[^\s/;()]*)/;
/** `claude-cli/2.1.330 (external, cli)`. */
const PRODUCT = /^([^\s/;(),]+)\/(v?\d[^\s/;(),]*)(?=[\s/;(),]|$)/;
/** What every browser and every program that is one inside calls itself, too. */
const OF_BROWSERS = new Set([
  'mozilla',
  'applewebkit',
  'gecko',
  'khtml',
  'version',
  'mobile',
  'safari',
  'chrome',
  'electron',
]);
const PRODUCTS = /([^\s/;(),]+)\/(v?\d[^\s/;(),]*)/g;
const WORDS = /^[\p{L}\p{M}\p{N} ._-]+$/u;

/**
 * The one form of a program's name, with its version apart: a product name in lower case with dashes (`Claude Code`, `claude_code`), or a
 * User-Agent (`claude-cli/2.1.330 (external, cli)`), of which the first product counts, and of a browser's the one that is not every
 * browser's. Names with other signs in them, such as the `source` of a CloudEvent, keep their letter case.
 * @param version as it was sent; it goes before the one in the name
 */
export function canonicalAgent(name: string, version: string): AgentName {
  const plain = plainSpelling(name);
  const product = productOf(plain);
  const given = withoutV(plainSpelling(version));
  return { name: nameOf(product?.name ?? plain), version: given === '' ? withoutV(product?.version ?? '') : given };
}

function productOf(userAgent: string): AgentName | null {
  if (!userAgent.includes('/')) return null;
  const sdk = SDK.exec(userAgent);
  if (sdk !== null) return { name: `${sdk[1]!}-${sdk[2]!}`, version: sdk[3]! };
  const product = PRODUCT.exec(userAgent);
  if (product === null) return null;
  if (product[1]!.toLowerCase() !== 'mozilla') return { name: product[1]!, version: product[2]! };
  const all = [...userAgent.matchAll(PRODUCTS)].map(([, one, its]) => ({ name: one!, version: its! }));
  const named = (wanted: string) => all.find((one) => one.name.toLowerCase() === wanted);
  return all.find((one) => !OF_BROWSERS.has(one.name.toLowerCase())) ?? named('chrome') ?? named('safari') ?? all[0]!;
}

function nameOf(name: string): string {
  if (!WORDS.test(name)) return name;
  const dashed = name
    .toLowerCase()
    .normalize('NFC')
    .replace(/[ _-]+/g, '-')
    // It adds the surface it runs in: `GeminiCLI-tui`, `GeminiCLI-a2a-server`.
    .replace(/^geminicli-.+/, 'geminicli');
  return Object.hasOwn(SAME_AGENT, dashed) ? SAME_AGENT[dashed]! : dashed;
}

const withoutV = (version: string) => version.replace(/^v(?=\d)/i, '');
