/** Consumer group of the detectors when nothing else is configured; its committed offsets say how far the ledger is. */
export const CONSUMER_GROUP_DEFAULT = 'lanewatch-detector';
