const POLL_MS = 1_000;

/**
 * Calls back once, when the process that is the parent now has ended: the system then gives this one another parent.
 * @param {() => void} onGone
 */
export function watchParent(onGone) {
  const parent = process.ppid;
  const poll = setInterval(() => {
    if (process.ppid === parent) return;
    // Once: whoever is told counts this beside signals, and of those a second one means "at once".
    clearInterval(poll);
    onGone();
  }, POLL_MS);
  poll.unref();
}
