import { readFileSync, readlinkSync } from 'node:fs';

/**
 * A name for this process that no later process of this machine has: pid, start time in clock ticks since boot, and the pid
 * namespace, because a pid of another container says nothing here. '' where the system does not tell (only Linux does).
 */
export function processIdentity(pid: number | 'self' = 'self'): string {
  try {
    // The name in parentheses may hold anything; after it, the start time is the twentieth field.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended and only waits for its parent to notice.
    if (fields[0] === 'Z' || fields[0] === 'X') return '';
    const ownPid = pid === 'self' ? process.pid : pid;
    return `${ownPid}/${fields[19]}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return '';
  }
}

/** Whether the process of that name certainly runs no more; false when that can't be told from here. */
export function isProcessGone(identity: string): boolean {
  if (identity === '') return false;
  const [pid, , namespace] = identity.split('/');
  const own = processIdentity();
  if (own === '' || namespace !== own.split('/')[2]) return false;
  return processIdentity(Number(pid)) !== identity;
}
