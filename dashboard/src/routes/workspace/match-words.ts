import type { Lane } from '@lanewatch/query-api/contract';

/** How sure it is which key a lane is. */
export const MATCH_WORDS: Record<Lane['match'], string> = {
  proven: 'proven by fingerprint',
  probable: 'probable: hint and org fit one registered key',
  ambiguous: 'ambiguous: the hint fits registered keys without telling which',
  none: 'none: no registered key fits',
};
