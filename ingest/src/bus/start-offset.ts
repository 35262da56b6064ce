/**
 * Where a consumer begins to read a partition: where it wants to, or at the first record when that is not there any more. Below what is
 * held, retention was faster than the consumer. Above it, the topic was made anew, and what it holds has never been read.
 * @param name of the partition in the fault, such as `topic/3`
 * @param wanted offset to go on with; undefined: from the first record
 * @param held the first offset that is there, and the one that the next record will get
 * @param onFault hears of every other beginning
 */
export function startOffset(
  name: string,
  wanted: number | undefined,
  held: { first: number; end: number },
  onFault: (fault: Error) => void,
): number {
  const { first, end } = held;
  const from = wanted ?? first;
  if (from >= first && from <= end) return from;
  const what =
    from < first ? 'records before it were removed unread' : 'the topic ends before it and is read from its start';
  onFault(new Error(`${name} cannot resume from offset ${from}: ${what} (it holds ${first} to ${end})`));
  return first;
}
