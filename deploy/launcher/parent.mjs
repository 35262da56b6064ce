const POLL_MS = 1_000;

/**
 * Calls back once, when the process that is the parent now has ended: the system then gives this one another parent.
 * @param {() => void} onGone
 * @returns {() => void} ends the watch
 */
export function watchParent(onGone) {
  const parent = process.ppid;
  const end = () => clearInterval(poll);
  const poll = setInterval(() => {
    if (process.ppid === parent) return;
    // Once: whoever is told counts this beside signals, and of those a second one means "at once".
    end();
    onGone();
  }, POLL_MS);
  poll.unref();
  return end;
}
