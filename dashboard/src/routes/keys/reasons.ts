import type { Lane } from '@lanewatch/query-api/contract';

type Reason = Lane['posture'][number]['reason'];

/** What the table says of a lane's posture beyond its standing; a reason that is not here the standing says already. */
export const REASON_WORDS: Partial<Record<Reason, string>> = {
  refused: 'refused every time',
  revoked_in_use: 'in use',
  expired_in_use: 'in use',
  shared: 'shared',
  shared_too_broadly: 'shared too broadly',
  weakly_governed: 'weakly governed',
};

/**
 * A lane's reasons as the table shows them, in their order. Weak governance says what is missing, because nothing else in the row
 * does; the rest stands beside the numbers that caused it, and whole on the lane's page.
 */
export function shownReasons({ posture }: Pick<Lane, 'posture'>): { reason: Reason; words: string; text: string }[] {
  return posture.flatMap(({ reason, text }) => {
    const words = REASON_WORDS[reason];
    if (words === undefined) return [];
    const facts = text.replace(/\.$/, '');
    const missing = facts.charAt(0).toLowerCase() + facts.slice(1);
    return [{ reason, words: reason === 'weakly_governed' ? `${words}: ${missing}` : words, text }];
  });
}
