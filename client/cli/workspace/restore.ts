import { createGit } from '../../../activities/git/git.ts';
import { createMgit } from '../../../activities/mgit/index.ts';
import { repositoryAt } from '../../../activities/workspace/host-activities.ts';
import { findInQuarantine, quarantineFolder } from '../../../activities/workspace/quarantine/quarantine-folder.ts';
import { restoreRepository } from '../../../activities/workspace/quarantine/restore-repository.ts';
import { excludesFile } from '../../../activities/workspace/read-workspace.ts';
import type { CliContext } from '../../core/context.ts';
import { printable } from '../../core/sanitize.ts';

/** `longhaul workspace restore`: makes a new clone of a repository in quarantine, with everything that was kept. */
export async function restoreCommand(context: CliContext, id: string): Promise<number> {
  const { config, stdout, dataDir, cacheDir, env } = context;
  const { providers, index } = config;
  const entry = await findInQuarantine(dataDir, id);
  const place = await restoreRepository(
    {
      git: createGit(cacheDir, env),
      dataDir,
      options: { excludes: await excludesFile(quarantineFolder(dataDir), env) },
      mgit: createMgit({ providers, cacheDir, env, maxFileBytes: index.maxFileBytes }),
      repositoryOf: (origin) => repositoryAt(origin, providers),
    },
    entry,
  );
  stdout.write(`${printable(place)} is restored. It is still in quarantine as ${entry.id}, too.\n`);
  return 0;
}
