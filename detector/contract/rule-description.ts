import type { Severity } from './finding.ts';
import type { Standing } from './ledger-row.ts';

/** What a number counts; `times` and `score` come in fractions, as money does. */
export const PARAMETER_UNITS = ['ms', 'usd', 'count', 'times', 'score', 'percent', 'km', 'km/h', 'days'] as const;
export type ParameterUnit = (typeof PARAMETER_UNITS)[number];

/** One tunable of a rule, shown with its findings. */
export interface RuleParameter {
  name: string;
  default: number | boolean | string;
  /** Of numbers what they count; none for switches and texts. */
  unit?: ParameterUnit;
  /** Of numbers the least that can be set; 0 when nothing is said. */
  minimum?: number;
  description: string;
}

/** What people read about a rule. */
export interface RuleDescription {
  id: string;
  title: string;
  /** One sentence: when it holds. */
  condition: string;
  severities: readonly Severity[];
  /** Whether every event is held against it as it comes, or a job decides it from the ledger and the registry. */
  decidedBy: 'stream' | 'job';
  parameters: readonly RuleParameter[];
  /** What whoever is called does, in this order. */
  runbook: readonly string[];
  /** Of rules that say of a key that the registry does not have it: the standing of their events. Putting it there answers them. */
  answeredByRegistering?: Extract<Standing, 'unknown' | 'ambiguous'>;
  /** Of rules that are moot once nobody may use the key: its use after that is another finding. */
  answeredByRevoking?: true;
}
