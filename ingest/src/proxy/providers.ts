/** In which form a provider answers errors, so that its clients show ours as they show its own. */
export type ErrorForm = 'anthropic' | 'openai' | 'google';

/** One provider that requests are passed on to. */
export interface ProxyProvider {
  /** The segment of the base URL behind `/proxy/`. */
  name: string;
  origin: string;
  /** Put before the path of each request; '' or begins with a slash. */
  pathPrefix: string;
  errorForm: ErrorForm;
}

/** Where the providers are that need no address. */
const ORIGINS: Readonly<Record<string, string>> = {
  anthropic: 'https://api.anthropic.com',
  openai: 'https://api.openai.com',
  google: 'https://generativelanguage.googleapis.com',
};

export const PROVIDERS_DEFAULT = Object.keys(ORIGINS).join(',');

/**
 * Reads `anthropic,openai,groq=https://api.groq.com/openai`: providers by name, those that are not built in with their address. Any name but
 * `anthropic` and `google` is taken for an API of OpenAI's form.
 * @returns the providers by name, or a sentence that says what is wrong
 */
export function parseProviders(text: string): ReadonlyMap<string, ProxyProvider> | string {
  const providers = new Map<string, ProxyProvider>();
  if (text.trim() === 'off') return providers;
  for (const part of text.split(',')) {
    const [name = '', ...rest] = part.trim().split('=');
    const address = rest.length > 0 ? rest.join('=') : ORIGINS[name];
    if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) {
      return `"${name.slice(0, 40)}" is no name of a provider: lower-case letters, digits and dashes, such as groq=https://api.groq.com/openai`;
    }
    if (address === undefined) return `${name} needs its address: ${name}=https://…`;
    if (providers.has(name)) return `${name} is named twice`;
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.username + url.password + url.search + url.hash !== '') {
      return `the address of ${name} must be http:// or https://, without user, query and fragment`;
    }
    const pathPrefix = url.pathname.replace(/\/+$/, '');
    const errorForm = name === 'anthropic' || name === 'google' ? name : 'openai';
    providers.set(name, { name, origin: url.origin, pathPrefix, errorForm });
  }
  return providers;
}
