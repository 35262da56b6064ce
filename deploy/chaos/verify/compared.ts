import { RULE_CATALOGUE } from '@lanewatch/detector/contract';

/**
 * Rules that look across lanes, and the one that gathers what they find: each detector judges by the partitions it has, in the order in which it
 * reads them, so that two of them come to other findings than one that reads all.
 */
const ACROSS_LANES: readonly string[] = ['R12', 'R25', 'R29'];

/** Rules that are decided by a job, at times of its own and not by an event. */
const BY_JOBS = RULE_CATALOGUE.filter(({ decidedBy }) => decidedBy === 'job').map(({ id }): string => id);

const ruleOf = (findingId: string) => findingId.split('-', 1)[0]!;

/** Whether a finding must count the rows that carry it: its rule goes by events. */
export const isCounted = (findingId: string): boolean => !BY_JOBS.includes(ruleOf(findingId));

/** Whether it must come out the same whatever happened, too: its rule goes by the events of one lane. */
export const isCompared = (findingId: string): boolean =>
  isCounted(findingId) && !ACROSS_LANES.includes(ruleOf(findingId));
