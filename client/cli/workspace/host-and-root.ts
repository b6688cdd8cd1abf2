import { realpath } from 'node:fs/promises';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { WorkspaceFields } from '../../../domain/workspace/flows/workspace-fields.ts';
import type { CliContext } from '../../core/context.ts';

/** Options that name a workspace. */
export interface WorkspaceOptions {
  /** The folder of the workspace, on the machine. */
  readonly root: string;
  /** The machine. @default this one */
  readonly host?: string;
}

/** The workspace that options name. Throws `InvalidInput` when this machine has no name, and none is given. */
export async function hostAndRoot({ config }: CliContext, options: WorkspaceOptions): Promise<WorkspaceFields> {
  const { host = config.host?.name } = options;
  if (host === undefined) {
    throw new LonghaulError(
      'InvalidInput',
      'This machine has no name: add the section "host" to longhaul.yaml, or name another machine with --host.',
    );
  }
  // a folder of another machine is not on this disk
  const root = host === config.host?.name ? await realpath(options.root).catch(() => options.root) : options.root;
  return { host, root };
}
