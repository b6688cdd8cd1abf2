import { realpathSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { repositoryOfRemote } from '../../domain/config/remote.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { redact } from '../../domain/shared/redact.ts';
import { runProgram } from '../../platform/program.ts';
import type { CliContext } from './context.ts';

const NAME_IT = 'add its forge or folder to `providers` in longhaul.yaml, or name the repository with --repo.';

/**
 * The id of the repository that the working folder is a clone of: by its remote `origin`, or its own place below the
 * root of a local provider. Throws `InvalidInput` when the folder is in no repository, or its remote belongs to no
 * provider.
 */
export async function repositoryOfFolder(
  { config, env }: Pick<CliContext, 'config' | 'env'>,
  folder = process.cwd(),
): Promise<string> {
  const git = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await runProgram('git', ['-C', folder, ...args], { env });
    return code === 0 ? stdout.trim() : '';
  };
  const top = await git('rev-parse', '--show-toplevel');
  if (top === '')
    throw new LonghaulError('InvalidInput', `${folder} is in no git repository: name the repository with --repo.`);
  const remote = await git('remote', 'get-url', 'origin');
  const providers = config.providers.map((provider) =>
    provider.type === 'local' ? { ...provider, root: realPath(provider.root) } : provider,
  );
  const address = remote === '' ? top : /^(file:\/\/|[^/]*:)/.test(remote) ? remote : absolute(remote, top);
  const id = repositoryOfRemote(address, providers) ?? repositoryOfRemote(realPath(top), providers);
  if (id !== null) return id;
  throw new LonghaulError(
    'InvalidInput',
    remote === ''
      ? `The repository ${top} has no remote and belongs to no provider: ${NAME_IT}`
      : `The remote ${redact(remote)} of ${top} belongs to no provider: ${NAME_IT}`,
  );
}

function absolute(path: string, top: string): string {
  return realPath(isAbsolute(path) ? path : resolve(top, path));
}

/** The path without symbolic links; a path that is not there as it is. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
