/** Folder of the hooks, relative to the root of a checkout. */
export const HOOKS: string;
/** Points git at the hooks of the checkout at `root`; says in one line what it did. */
export function installHooks(root: string): string;
