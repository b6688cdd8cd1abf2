import { z } from 'zod';
import { HOST_NAME, NOT_A_HOST_NAME } from '../shared/roles.ts';
import { shortName } from '../shared/values.schema.ts';

const folder = z.string().regex(/^(\/|~\/)[^\0]*[^/]$/, 'give an absolute path');
const word = z.string().min(1).max(1_000);

/** What flows may do on this machine. Nothing in a plan or a repository widens it. */
const hostSchema = z
  .strictObject({
    /** Its name, which flows use to reach it. */
    name: z.string().regex(HOST_NAME, NOT_A_HOST_NAME),
    /** Folders below which workspaces are made and changed. */
    roots: z.array(folder).min(1, 'give at least one folder'),
    /** Programs that plans may run, each with the arguments that it begins with: `[npm, ci]`. */
    commands: z.array(z.array(word).min(1)).default([]),
    /** `owner`: a plan waits until the owner has approved it. */
    approve: z.enum(['owner', 'none']).default('none'),
    /** The person of `people` who owns the machine. */
    owner: shortName.optional(),
  })
  .refine(({ approve, owner }) => approve === 'none' || owner !== undefined, {
    path: ['owner'],
    message: 'name the person who approves plans, or set "approve" to none',
  });

/** The `host` section, checked. */
export type HostConfig = z.infer<typeof hostSchema>;

/** The sections of this wing in `longhaul.yaml` (docs/workspaces.md). */
export const workspaceSections = {
  host: hostSchema.optional(),
};
