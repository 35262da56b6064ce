import {
  applicationSchema,
  collectedSchema,
  collectionDetailSchema,
  collectionsSchema,
  jobItemSchema,
  jobsSchema,
  policiesSchema,
  policyDetailSchema,
  policyPreviewSchema,
  type PolicyPut,
} from '@lanewatch/query-api/contract';
import type { Calls } from './client.ts';

const segment = encodeURIComponent;
const policy = (id: string) => `/v1/policies/${segment(id)}`;
const collection = (id: string) => `/v1/collections/${segment(id)}`;

/** Policies, jobs and secrets that wait for their owners, as the pages ask for them. */
export function governanceCalls({ read, command }: Pick<Calls, 'read' | 'command'>) {
  return {
    policies: () => read(policiesSchema, '/v1/policies'),
    policy: (id: string) => read(policyDetailSchema, policy(id)),
    setPolicy: (id: string, body: PolicyPut) => command(policyDetailSchema, policy(id), body, { method: 'PUT' }),
    previewPolicy: (id: string) => command(policyPreviewSchema, `${policy(id)}/preview`, {}),
    applyPolicy: (id: string, version: number) => command(applicationSchema, `${policy(id)}/apply`, { version }),
    jobs: () => read(jobsSchema, '/v1/jobs'),
    runJob: (id: string) => command(jobItemSchema, `/v1/jobs/${segment(id)}/run`, {}),
    collections: () => read(collectionsSchema, '/v1/collections'),
    collection: (id: string) => read(collectionDetailSchema, collection(id)),
    collect: (id: string) => command(collectedSchema, `${collection(id)}/collect`, {}),
  };
}
