/** Calls back once, when the process that is the parent now has ended. */
export function watchParent(onGone: () => void): void;
