import type { CredentialCreate, CredentialRefuse, LaneDetail } from '@lanewatch/query-api/contract';
import { keyFieldsOf, registerRequestOf as requestOf } from '../credentials/fields/key-fields.ts';

type Named = Pick<LaneDetail, 'fingerprint' | 'hint' | 'provider' | 'org' | 'users'>;

/** The request that registers a lane's key with what its form says. Which key it is the lane says, not the form. */
export function registerRequestOf(form: FormData, lane: Named): CredentialCreate {
  const fields = keyFieldsOf(form);
  const isByHint = lane.fingerprint === '';
  return requestOf(
    {
      ...fields,
      fingerprint: lane.fingerprint,
      hint: lane.hint,
      provider: lane.provider,
      // A key that is known by hint and organisation alone is another one under another organisation.
      org: isByHint ? lane.org : fields.org,
    },
    isByHint,
    Date.now(),
  );
}

/** The request that puts a key on record as revoked that nobody registered. */
export function refuseRequestOf({ fingerprint, hint, provider, org }: Named, reason: string): CredentialRefuse {
  const names = { ...(fingerprint === '' ? {} : { fingerprint }), ...(hint === '' ? {} : { hint }) };
  return { ...names, provider, org, reason };
}
