/**
 * What a process gets to finish after it was asked to stop, before it is killed: more than the longest limit that any of them sets
 * itself, which is the 20 s of ingest (the detector's and the engine's are 15 s).
 */
export const STOP_DEADLINE_MS = 25_000;
