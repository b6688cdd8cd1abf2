/** How a change alters the product. */
export const CHANGE_TYPES = ['fix', 'refine', 'add', 'remove'] as const;

/** The id of a change: `FEAT-201`, `TEAM-A-1`, `FIX-LEAK`. Unique in a generation; another generation may reuse it. */
export const CHANGE_ID = /^(?=.{3,60}$)[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$/;

/** The ids of changes that the message of a commit has in brackets, `[FEAT-201]`: the first 100. */
export function changesNamed(message: string): readonly string[] {
  const named = [...message.matchAll(/\[([A-Z0-9-]+)\]/g)].map(([, id = '']) => id);
  return [...new Set(named.filter((id) => CHANGE_ID.test(id)))].slice(0, 100);
}
