import { join } from 'node:path';
import { listQuarantine, quarantineFolder } from '../../../activities/workspace/quarantine/quarantine-folder.ts';
import type { QuarantineEntry } from '../../../domain/workspace/quarantine.schema.ts';
import type { CliContext } from '../../core/context.ts';
import { printList } from '../../core/print-list.ts';
import { printable } from '../../core/sanitize.ts';

/** Options of `longhaul workspace quarantine`. */
export interface QuarantineOptions {
  /** Print JSON. @default false */
  readonly json?: boolean;
}

/** `longhaul workspace quarantine`: what was kept on this machine when repositories left their workspaces. */
export async function quarantineCommand(context: CliContext, { json = false }: QuarantineOptions): Promise<number> {
  const { stdout, stderr, dataDir } = context;
  const { entries, damaged } = await listQuarantine(dataDir);
  for (const folder of damaged) stderr.write(`${printable(folder)} cannot be read: its manifest is damaged.\n`);
  const rows = entries.map((entry) => {
    const { id, at, by, root, path, work, files } = entry;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    return { id, at, by, root, path, work, files: files.length, bytes, folder: join(quarantineFolder(dataDir), id) };
  });
  if (rows.length === 0 && !json) stdout.write('Nothing is in quarantine.\n');
  else await printList(context, rows, { json }, { head: ['id', 'since', 'repository', 'what was kept'], row: rowOf });
  return 0;
}

function rowOf({ id, at, root, path, work }: Pick<QuarantineEntry, 'id' | 'at' | 'root' | 'path' | 'work'>): string[] {
  return [id, at.slice(0, 16), join(root, path), work.join('; ')];
}
