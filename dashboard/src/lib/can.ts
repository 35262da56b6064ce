import { page } from '$app/state';
import { may, type Permission } from '@lanewatch/query-api/contract/permissions';

/** Whether who is signed in may do it. Pages show a button only then; query-api refuses it in any case. */
export function can(permission: Permission): boolean {
  const { role } = page.data;
  return role !== null && role !== undefined && may(role, permission);
}
