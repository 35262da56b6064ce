import type { RuleSettings } from '@lanewatch/detector/contract';
import type { JSONColumnType } from 'kysely';

/** The table of rule settings as kysely sees it; the comments on columns are in migrations/. */
export interface RuleTables {
  rule_settings: {
    rule: string;
    version: number;
    effective_from: Date;
    settings: JSONColumnType<RuleSettings, string, string>;
    set_at: Date;
    set_by: string;
    sent_at: Date | null;
  };
}
