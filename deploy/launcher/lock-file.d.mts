/** The text of a lock, or null when there is none. */
export function readLock(file: string): string | null;
/**
 * Takes a lock file, whole or not at all.
 * @param dead what {@link readLock} found there, once its owner is known to be gone
 * @returns false when another process was faster; its lock stays
 */
export function takeLock(file: string, dead: string | null, mine: string): boolean;
/**
 * Removes a lock only if it still says what the caller has read.
 * @returns whether it was that lock and is gone
 */
export function removeLock(file: string, text: string): boolean;
/** How a lock names a process: `began` is when that began, in the kernel's own words; '' where unknown. */
export interface LockOwner {
  pid: number;
  began: string;
}
export function thisProcess(): LockOwner;
/** Whether a process that a lock names still lives and is another one than this. */
export function isAlive(owner: LockOwner): boolean;
