import { type KnownWorkspace, listWorkspaces } from '../../../activities/workspace/list-workspaces.ts';
import type { CliContext } from '../../core/context.ts';
import { printList } from '../../core/print-list.ts';
import { printable } from '../../core/sanitize.ts';
import { inBytes } from './in-bytes.ts';

/** Options of `longhaul workspace list`. */
export interface ListWorkspacesOptions {
  /** Print JSON. @default false */
  readonly json?: boolean;
}

/** `longhaul workspace list`: the workspaces of this machine. */
export async function listWorkspacesCommand(
  context: CliContext,
  { json = false }: ListWorkspacesOptions,
): Promise<number> {
  const { stdout, stderr, dataDir, cacheDir, env } = context;
  const known = await listWorkspaces({ dataDir, cacheDir, env });
  if (known.length === 0 && !json) stdout.write('There are no workspaces on this machine.\n');
  else await printList(context, known, { json }, { head: HEAD, row: rowOf });
  for (const { root, problem } of json ? [] : known) {
    if (problem !== null) stderr.write(`${printable(`${root}: ${problem}`)}\n`);
  }
  return 0;
}

const HEAD = ['workspace', 'state', 'repositories', 'changed', 'ahead', 'behind', 'drift', 'ttl', 'disk', 'folder'];

function rowOf({ name, state, ttl, disk, root, ...counts }: KnownWorkspace): string[] {
  const { repositories, dirty, ahead, behind, drift } = counts;
  const numbers = [repositories, dirty, ahead, behind, drift].map((count) => (count === 0 ? '' : String(count)));
  return [name, state, ...numbers, ttl ?? '', inBytes(disk), root];
}
