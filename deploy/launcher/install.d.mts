/** Installs the dependencies when they are missing or belong to another lockfile. */
export function ensureInstalled(root: string): Promise<void>;
/** Where the pinned Node 24 is. */
export function pinnedNode(root: string): string;
