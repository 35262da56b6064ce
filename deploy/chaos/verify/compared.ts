import { RULE_CATALOGUE } from '@lanewatch/detector/contract';

/**
 * Rules that look across lanes: each detector judges by the partitions it has, in the order in which it reads them, so that two of them come to
 * other findings than one that reads all.
 */
const ACROSS_LANES: readonly string[] = ['R12', 'R25'];

/** Rules that are decided by a job, at times of its own and not by an event. */
const BY_JOBS = RULE_CATALOGUE.filter(({ decidedBy }) => decidedBy === 'job').map(({ id }): string => id);

const LEFT_OUT = new Set([...ACROSS_LANES, ...BY_JOBS]);

/** Whether a finding must come out the same whatever happened: its rule goes by the events of one lane. */
export const isCompared = (findingId: string): boolean => !LEFT_OUT.has(findingId.split('-', 1)[0]!);
