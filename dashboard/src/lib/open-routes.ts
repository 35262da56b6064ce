/** Pages that answer without a session; everything else leads to the sign-in page. */
const OPEN_ROUTES = new Set([
  '/sign-in',
  '/sign-in/oidc',
  '/sign-in/passkey',
  '/invitation',
  '/preferences',
  '/healthz',
  '/readyz',
]);

/** Whether a route is one of them. What is no route at all is none. */
export const isOpen = (route: string | null): boolean => route !== null && OPEN_ROUTES.has(route);
