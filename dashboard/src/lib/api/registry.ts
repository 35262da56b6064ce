import {
  credentialCreatedSchema,
  credentialDetailSchema,
  credentialEditedSchema,
  credentialImportedSchema,
  credentialLogSchema,
  credentialRevokedSchema,
  credentialRotatedSchema,
  credentialsPageSchema,
  directorySchema,
  drainSchema,
  environmentsSchema,
  IDEMPOTENCY_HEADER,
  impactSchema,
  importedKeysSchema,
  importsSchema,
  modulesSchema,
  ownersSchema,
  preflightAnswerSchema,
  type CredentialCreate,
  type CredentialEdit,
  type CredentialRefuse,
  type CredentialRotate,
  type DirectoryKind,
} from '@lanewatch/query-api/contract';
import { queryString, type Query } from '#lib/query.ts';
import type { Calls } from './client.ts';

const ALL = '/v1/credentials';
const one = (id: string) => `${ALL}/${encodeURIComponent(id)}`;

const DIRECTORY_PATHS: Record<DirectoryKind, string> = {
  project: '/v1/projects',
  team: '/v1/teams',
  service_account: '/v1/service-accounts',
};

/** What a change of a key does to those who use it: asked for before it is made. */
export type Act = 'revoke' | 'rotate' | 'regenerate';

/** The registry, as the pages ask for it. Reads and commands end as those of {@link createApi}. */
export function registryCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  return {
    credentials: (query: Query) => read(credentialsPageSchema, `${ALL}${queryString(query)}`),
    credential: (id: string) => read(credentialDetailSchema, one(id)),
    modules: () => read(modulesSchema, `${ALL}/modules`),
    environments: () => read(environmentsSchema, `${ALL}/environments`),
    directory: (kind: DirectoryKind) => read(directorySchema, DIRECTORY_PATHS[kind]),
    addToDirectory: (kind: DirectoryKind, body: { name: string; owner: string; description: string }) =>
      command(directorySchema, DIRECTORY_PATHS[kind], body),
    editInDirectory: (
      kind: DirectoryKind,
      name: string,
      body: { name?: string; owner?: string; description?: string; archived?: boolean },
    ) => command(directorySchema, `${DIRECTORY_PATHS[kind]}/${encodeURIComponent(name)}`, body, { method: 'PATCH' }),
    owners: () => read(ownersSchema, '/v1/owners'),
    impact: (id: string, act: Act) => read(impactSchema, `${one(id)}/impact${queryString({ act })}`),
    drain: (id: string) => read(drainSchema, `${one(id)}/drain`),
    credentialLog: (id: string, query: Query) => read(credentialLogSchema, `${one(id)}/log${queryString(query)}`),
    preflight: (body: CredentialCreate) => command(preflightAnswerSchema, `${ALL}/preflight`, body),
    /** @param once a text of this one form: sent twice with it, one key is made */
    createCredential: (body: CredentialCreate, once = '') =>
      command(credentialCreatedSchema, ALL, body, once === '' ? {} : { headers: { [IDEMPOTENCY_HEADER]: once } }),
    editCredential: (id: string, body: CredentialEdit) =>
      command(credentialEditedSchema, one(id), body, { method: 'PATCH' }),
    rotateCredential: (id: string, body: CredentialRotate) =>
      command(credentialRotatedSchema, `${one(id)}/rotate`, body),
    regenerateCredential: (id: string, body: { version?: number; reason: string }) =>
      command(credentialRotatedSchema, `${one(id)}/regenerate`, body),
    revokeCredential: (id: string, body: { reason: string; confirm: string }) =>
      command(credentialRevokedSchema, `${one(id)}/revoke`, body),
    refuseKey: (body: CredentialRefuse) => command(credentialRevokedSchema, `${ALL}/refuse`, body),
    imports: () => read(importsSchema, '/v1/imports'),
    importKeys: (provider: string, org: string, isDryRun: boolean) =>
      command(importedKeysSchema, `/v1/imports/${encodeURIComponent(provider)}`, { org, dry_run: isDryRun }),
    importCredentials: (csv: string, isDryRun: boolean) =>
      command(credentialImportedSchema, `${ALL}/import`, { csv, dry_run: isDryRun }),
  };
}
