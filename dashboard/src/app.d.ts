import type { Api } from '#lib/api/client.ts';

declare global {
  namespace App {
    interface Locals {
      /** query-api on behalf of whoever sent the request. */
      api: Api;
      signedIn: boolean;
    }
  }
}
