import { type ProxyPolicy, proxyPolicySchema, type ProxyRefusal } from '../../contract/proxy-policy.ts';

/** What holds for a request: what is refused, and what is only noted. */
export interface ProxyRules {
  refused: ReadonlySet<ProxyRefusal>;
  noted: ReadonlySet<ProxyRefusal>;
}

/** The policy on requests as it is now. */
export interface PolicyView {
  /** Takes what a record of the policies topic holds; null takes the policy back. Returns what is wrong with it, or null. */
  apply(value: Buffer | null): string | null;
  /** What holds for keys of a project; '' is the organisation, to which keys that nobody registered belong. */
  of(project: string): ProxyRules;
  /** Whether anything is looked at anywhere. */
  isInForce(): boolean;
}

const NOTHING: ReadonlySet<ProxyRefusal> = new Set();

/** @param always what an operator has the proxy refuse, whatever the policy says */
export function createPolicyView(always: ReadonlySet<ProxyRefusal>): PolicyView {
  const unset: ProxyRules = { refused: always, noted: NOTHING };
  let byProject: ReadonlyMap<string, ProxyRules> = new Map();
  let isInForce = always.size > 0;

  const rulesOf = ({ mode, refuse }: ProxyPolicy['places'][number]): ProxyRules => ({
    refused: mode === 'enforce' ? always.union(new Set(refuse)) : always,
    noted: mode === 'watch' ? new Set(refuse).difference(always) : NOTHING,
  });

  /** Each request asks whether anything is in force, so that is known beforehand. */
  function take(places: ProxyPolicy['places']): null {
    byProject = new Map(places.map((place) => [place.project, rulesOf(place)]));
    isInForce = [unset, ...byProject.values()].some(({ refused, noted }) => refused.size + noted.size > 0);
    return null;
  }

  return {
    apply(value) {
      if (value === null) return take([]);
      const parsed = proxyPolicySchema.safeParse(jsonOf(value));
      if (!parsed.success) return `${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`;
      return take(parsed.data.places);
    },
    of: (project) => byProject.get(project) ?? byProject.get('') ?? unset,
    isInForce: () => isInForce,
  };
}

function jsonOf(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch {
    return undefined;
  }
}
