/** How a change alters the product. */
export const CHANGE_TYPES = ['fix', 'refine', 'add', 'remove'] as const;

/** The id of a change: `FEAT-201`, `TEAM-A-1`, `FIX-LEAK`. Unique in a generation; another generation may reuse it. */
export const CHANGE_ID = /^(?=.{3,60}$)[A-Z][A-Z0-9]*(-[A-Z0-9]+)+$/;
