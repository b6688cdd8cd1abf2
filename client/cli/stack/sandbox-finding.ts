import type { Isolation } from '../../../activities/sandbox/sandbox.ts';
import { FAILURES, LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import type { Finding } from '../commands.ts';
import { fine, wrong } from '../finding.ts';

/** The part of a {@link CliContext} that says how programs are isolated. */
export type SandboxContext = Pick<CliContext, 'config' | 'cacheDir' | 'env'>;

/** Why this machine cannot run programs of repositories, with a remedy; null when it can. */
export async function sandboxProblem(context: SandboxContext): Promise<string | null> {
  const opened = await tryToOpen(context);
  if (!('sandbox' in opened)) return opened.problem;
  await opened.sandbox.close();
  return null;
}

/**
 * Starts a program in the sandbox that tries what must not be possible. A machine without a sandbox is no problem: it
 * only does not run pipelines.
 */
export async function sandboxFinding(context: SandboxContext): Promise<Finding> {
  const name = 'sandbox';
  const opened = await tryToOpen(context);
  if (!('sandbox' in opened)) return fine(name, `none, so pipelines do not run on this machine: ${opened.problem}`);
  const { sandbox } = opened;
  try {
    const { checkSandbox } = await import('../../../activities/sandbox/check.ts');
    const { isolation } = sandbox;
    if (isolation.kind === 'none') return fine(name, `none, as pipelines.sandbox says. ${unprotected(isolation)}`);
    const claims = await checkSandbox(sandbox, context.config.pipelines.limits.processes);
    const broken = claims.filter(({ holds }) => !holds);
    const held = `${isolation.program ?? ''}, where these held: ${claims
      .filter(({ holds }) => holds)
      .map(({ claim }) => claim)
      .join(', ')}`;
    if (broken.length === 0) return fine(name, held);
    const missing = broken.map(({ claim }) => claim).join(', ');
    return wrong(
      name,
      `${held}; and these did not: ${missing}`,
      'Run pipelines on another machine: docs/pipelines.md.',
    );
  } finally {
    await sandbox.close();
  }
}

function unprotected({ missing }: Isolation): string {
  return missing.join(' ');
}

async function tryToOpen({ config, cacheDir, env }: SandboxContext) {
  const [{ openSandbox }, { sandboxSettings }] = await Promise.all([
    import('../../../activities/sandbox/open-sandbox.ts'),
    import('../../../activities/sandbox/sandbox-settings.ts'),
  ]);
  try {
    return { sandbox: await openSandbox(sandboxSettings({ config, cacheDir }, env)) };
  } catch (error) {
    if (error instanceof LonghaulError) return { problem: `${error.message} ${FAILURES[error.type].remedy}` };
    throw error;
  }
}
