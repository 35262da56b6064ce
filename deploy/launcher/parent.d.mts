/**
 * Calls back once, when the process that is the parent now has ended.
 * @returns ends the watch
 */
export function watchParent(onGone: () => void): () => void;
