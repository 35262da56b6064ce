import type { Role } from '@lanewatch/query-api/contract';
import type { Api } from '#lib/api/client.ts';

declare global {
  namespace App {
    interface Locals {
      /** query-api on behalf of whoever sent the request. */
      api: Api;
      signedIn: boolean;
    }
    interface PageData {
      /** Role of who is signed in; null on pages that answer without. */
      role: Role | null;
    }
  }
}
