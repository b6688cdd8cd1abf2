import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Mgit } from '../../activities/mgit/index.ts';
import type { ProviderConfig } from '../../domain/config/providers.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { Forge, ForgeAccess } from './forge.ts';
import { openMgit } from './mgit.ts';
import { git, scratchFolder } from './scratch-git.ts';
import { startTemplateForge, TOKEN } from './template-forge.ts';

export type GithubConfig = Extract<ProviderConfig, { type: 'github' }>;

export interface Place {
  readonly forge: Forge;
  readonly cache: string;
  /** mgit on this forge; without git, unless requested. */
  readonly open: (more?: { readonly config?: Partial<GithubConfig>; readonly git?: boolean }) => Mgit;
  readonly commit: string;
}

export async function place(names: readonly string[], access: ForgeAccess = {}): Promise<Place> {
  const folder = scratchFolder();
  const forge = await startTemplateForge(folder, names, { token: TOKEN, ...access });
  onTestFinished(() => forge.close());
  const provider = {
    name: 'work',
    type: 'github',
    url: forge.url,
    tokenEnv: 'T',
    archived: false,
    forks: false,
  } as const;
  const cache = join(folder, 'cache');
  return {
    forge,
    cache,
    open: ({ config = {}, git: hasGit = false } = {}) =>
      openMgit(cache, [{ ...provider, ...config }], { env: { T: TOKEN, ...(hasGit ? {} : { PATH: '/nonexistent' }) } }),
    commit: git(join(folder, 'template.git'), 'rev-parse', 'main'),
  };
}

/** `org0/r0` to `org9/r99` and so on. */
export function manyNames(count: number, organizations = 1): string[] {
  return Array.from({ length: count }, (_, at) => `org${at % organizations}/r${at}`);
}

/** Acts like a flow: waits when the forge asks to wait, and tries again. */
export async function patiently<Result>(work: () => Promise<Result>): Promise<{ result: Result; waits: number[] }> {
  const waits: number[] = [];
  for (;;) {
    try {
      return { result: await work(), waits };
    } catch (error) {
      if (!(error instanceof LonghaulError) || error.type !== 'RateLimited') throw error;
      waits.push(error.retryAfterMs ?? 0);
      await pause(error.retryAfterMs);
    }
  }
}
