const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request would change something on behalf of a page from elsewhere. Hosts are compared, not whole origins: behind a
 * proxy, and on plain-http loopback, this process does not know the scheme that the browser used.
 */
export function isForeignWrite(request: Request, url: URL): boolean {
  if (READING_METHODS.has(request.method)) return false;
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return true;
  const origin = request.headers.get('origin');
  return origin === null || !URL.canParse(origin) || new URL(origin).host !== url.host;
}

/** Headers of every answer. The content security policy comes from kit, which knows the page's nonce. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Same-origin only: the one-time sign-in link must not travel in a referrer, nor must names inside our addresses.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Adds the security headers. Pages hold what a signed-in person may see, so nothing between us may keep them. */
export function withSecurityHeaders(response: Response): Response {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  if (!response.headers.has('cache-control')) response.headers.set('cache-control', 'private, no-store');
  return response;
}
