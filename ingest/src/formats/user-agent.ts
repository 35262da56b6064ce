import type { JsonObject } from './json-body.ts';

/**
 * `claude-cli/2.1.197 (external, cli)` is name and version, and so is `OpenAI/Python 1.40.0`, as the SDKs of several providers call
 * themselves; anything else is the name.
 */
export function agentOfUserAgent(userAgent: string | undefined): JsonObject | undefined {
  if (userAgent === undefined) return undefined;
  const product =
    /^([^\s/]+\/[A-Za-z][^\s/;()]*) (v?\d[^\s/;()]*)/.exec(userAgent) ?? /^([^\s/]+)\/([^\s/;()]+)/.exec(userAgent);
  return product === null ? { name: userAgent } : { name: product[1], version: product[2] };
}
