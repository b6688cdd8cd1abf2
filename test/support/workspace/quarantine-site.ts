import { join } from 'node:path';
import { createGit } from '../../../activities/git/git.ts';
import { createMgit } from '../../../activities/mgit/index.ts';
import type { RestoreTools } from '../../../activities/workspace/quarantine/restore-repository.ts';
import { SCRATCH_ENV } from '../scratch-git.ts';

/** Tools of a quarantine with its folders in `scratch`. */
export function quarantineSite(scratch: string): RestoreTools {
  const [cacheDir, env] = [join(scratch, 'cache'), SCRATCH_ENV];
  return {
    git: createGit(cacheDir, env),
    dataDir: join(scratch, 'data'),
    options: { excludes: null },
    mgit: createMgit({ providers: [], cacheDir, env, maxFileBytes: 1_000_000 }),
    repositoryOf: (origin) => ({
      id: `~origin/0123456789ab/${origin.slice(origin.lastIndexOf('/') + 1)}`,
      cloneUrl: origin,
    }),
  };
}
