import type { Zod } from '../../shared/flow.ts';
import { HOST_NAME, NOT_A_HOST_NAME } from '../../shared/roles.ts';

/** What names a workspace in the input of a flow. */
export interface WorkspaceFields {
  /** The name of the machine (`host.name` in its longhaul.yaml). */
  readonly host: string;
  /** The folder of the workspace on this machine, as an absolute path. */
  readonly root: string;
}

/** The schema of {@link WorkspaceFields}. */
export function workspaceFields(z: Zod) {
  return {
    host: z.string().regex(HOST_NAME, NOT_A_HOST_NAME),
    root: z
      .string()
      .max(500)
      .regex(/^\/[^\0]*[^/]$/, 'must be an absolute path, without a slash at its end')
      .refine(
        (path) =>
          path
            .split('/')
            .slice(1)
            .every((part) => !['', '.', '..'].includes(part)),
        'must be a plain path',
      ),
  };
}
