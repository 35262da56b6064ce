import { STOP_DEADLINE_MS } from './stop-deadline.ts';

/**
 * Loaded before a service (`node --import`): its standard input is a pipe that the supervisor holds open. When the supervisor
 * is gone, however it went, the pipe ends; the service then stops as on SIGTERM, so that nothing is left behind.
 */
process.stdin.on('end', () => {
  // Not process.exit: what runs at exit may be what hangs.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), STOP_DEADLINE_MS).unref();
  process.kill(process.pid, 'SIGTERM');
});
process.stdin.on('error', () => undefined);
process.stdin.resume();
// The pipe must not keep a service alive that wants to end by itself.
process.stdin.unref?.();
