import { openMgit } from '../../../activities/mgit/open-mgit.ts';
import { askForges, type ForgeAnswers } from '../../../activities/workspace/ask-forges.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import type { CliContext } from '../../core/context.ts';
import { loadedConfig } from '../../core/servers.ts';

/** Asks the forges of longhaul.yaml for what is open in the repositories of a workspace: {@link askForges}. */
export async function askConfiguredForges(
  context: CliContext,
  { repos }: Pick<SnapshotContent, 'repos'>,
): Promise<ForgeAnswers> {
  const { config, env } = context;
  return askForges(repos, { mgit: openMgit(loadedConfig(context), env), providers: config.providers });
}
