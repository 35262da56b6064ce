import type { Owners } from '../../contract/index.ts';
import type { RegistryDatabase } from './database.ts';

/** Who may answer for a key: everybody whose account works, and service accounts that are not archived. Each by name. */
export async function readOwners(db: RegistryDatabase): Promise<Owners> {
  const people = await db
    .selectFrom('users')
    .select(['email', 'name'])
    .where('banned', '=', false)
    .where('setup_pending', '=', false)
    .orderBy('email')
    .execute();
  const accounts = await db
    .selectFrom('directory')
    .select(['name', 'description'])
    .where('kind', '=', 'service_account')
    .where('archived_at', 'is', null)
    .orderBy('name')
    .execute();
  return {
    items: [
      ...accounts.map(({ name, description }) => ({
        owner: name,
        kind: 'service_account' as const,
        label: description,
      })),
      ...people.map(({ email, name }) => ({ owner: email, kind: 'person' as const, label: name })),
    ],
  };
}
