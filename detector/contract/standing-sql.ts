import { CREDENTIALS_BY_HINT, CREDENTIALS_BY_KEY } from './credential-mirror.ts';

/** SQL expressions of what a lane is known by; columns or parameters, never values. */
export interface LaneSql {
  fingerprint: string;
  /** As events have it; together with `org` of one event. */
  hint: string;
  org: string;
}

/** SQL expressions that tell how a lane stands in the registry; each is meant as a column, in this order: later ones use the earlier. */
export interface StandingSql {
  /** `(match, record_key)`: the key is that of the one record that matches, '' where none or several do. */
  matched: string;
  /** The standing of what `matched` says, once that is a column of this name. */
  standing: (matched: string) => string;
}

/**
 * How a lane stands in the registry now, as SQL over the dictionaries: what the detector decides for an event at its time, decided for a
 * lane at an instant. A fingerprint is proof; a hint with its org is probable when exactly one record fits and names the same org; several
 * records, or an org that can't be compared, are ambiguous.
 * @param database a checked identifier
 * @param at SQL expression of the instant, a DateTime64
 */
export function standingNowSql(database: string, { fingerprint, hint, org }: LaneSql, at: string): StandingSql {
  const byHint = (attribute: string): string =>
    `dictGet('${database}.${CREDENTIALS_BY_HINT}', '${attribute}', toString(${hint}))`;
  // Of a lane with a fingerprint only records without one can be meant: another fingerprint is another key.
  const candidates = `arrayFilter(
      (candidate_key, candidate_org, candidate_has) -> (${fingerprint} = '' OR NOT candidate_has)
        AND (${org} = '' OR candidate_org = '' OR candidate_org = ${org}),
      ${byHint('record_keys')}, ${byHint('orgs')}, ${byHint('has_fingerprint')})`;
  // Named where it stands first: the engine plans a text anew wherever it is repeated.
  const only = 'fitting_records[1]';
  const onlyOrg = `dictGet('${database}.${CREDENTIALS_BY_KEY}', 'org', ${only})`;
  const attribute = (name: string, matched: string): string =>
    `dictGet('${database}.${CREDENTIALS_BY_KEY}', '${name}', tupleElement(${matched}, 2))`;
  return {
    matched: `multiIf(
      ${fingerprint} != '' AND dictHas('${database}.${CREDENTIALS_BY_KEY}', toString(${fingerprint})), ('proven', toString(${fingerprint})),
      ${hint} = '' AND ${fingerprint} = '', ('unattributed', ''),
      ${hint} = '' OR length(${candidates} AS fitting_records) = 0, ('none', ''),
      length(fitting_records) > 1 OR ${org} = '' OR ${onlyOrg} != ${org}, ('ambiguous', ''),
      ('probable', ${only}))`,
    standing: (matched) => `multiIf(
      tupleElement(${matched}, 1) = 'unattributed', 'unattributed',
      tupleElement(${matched}, 1) = 'none', 'unknown',
      tupleElement(${matched}, 1) = 'ambiguous', 'ambiguous',
      ${attribute('revoked_from', matched)} <= ${at}, 'revoked',
      ${attribute('expired_from', matched)} <= ${at}, 'expired',
      'known')`,
  };
}
