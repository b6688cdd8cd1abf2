import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostConfig } from '../../domain/workspace/host.schema.ts';
import type { PlanOperation } from '../../domain/workspace/workspace-plan.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { hasCode } from '../../platform/error-code.ts';
import { expandPath } from '../shared/config.ts';

/**
 * Throws `NotAllowedHere` unless the workspace is below one of the folders that the machine gives to workspaces, with all
 * links resolved. The folder of the workspace itself need not be there; the folder around it must. Returns the path without
 * links.
 */
export async function refuseOtherPlaces({ roots }: Pick<HostConfig, 'roots'>, root: string): Promise<string> {
  const real = await realPlace(root);
  await refuseOutside({ roots }, real, root);
  return real ?? root;
}

/** The same for a path that has no links, such as that of a folder which is open. `named` is the path in the message. */
export async function refuseOutside(
  { roots }: Pick<HostConfig, 'roots'>,
  real: string | null,
  named: string,
): Promise<void> {
  for (const each of roots) {
    const allowed = await realpath(expandPath(each, '/')).catch(absent);
    if (allowed !== null && real?.startsWith(allowed === '/' ? '/' : `${allowed}/`)) return;
  }
  throw new LonghaulError(
    'NotAllowedHere',
    `${named} is not below a folder that this machine gives to workspaces (host.roots: ${roots.join(', ')}).`,
  );
}

/** The path without links; null when not even the folder around it is there. */
async function realPlace(path: string): Promise<string | null> {
  const there = await realpath(path).catch(absent);
  if (there !== null) return there;
  const around = await realpath(dirname(path)).catch(absent);
  return around === null ? null : join(around, path.slice(path.lastIndexOf('/') + 1));
}

/** Throws `NotAllowedHere` for a plan with a program that the machine does not run for plans. */
export function refuseOtherPrograms(
  { commands }: { readonly commands: readonly (readonly string[])[] },
  operations: readonly Pick<PlanOperation, 'type' | 'target' | 'params'>[],
): void {
  for (const { type, target, params } of operations) {
    if (type !== 'run_command') continue;
    const { argv, environment } = params;
    const variable = Object.keys((environment ?? {}) as object).find(changesPrograms);
    if (variable !== undefined) {
      throw new LonghaulError(
        'NotAllowedHere',
        `The plan sets the variable ${variable} for ${target}, which decides what programs run: no plan may.`,
      );
    }
    const words = Array.isArray(argv) ? argv : [];
    if (commands.some((allowed) => allowed.every((word, at) => words[at] === word))) continue;
    throw new LonghaulError(
      'NotAllowedHere',
      `The plan runs ${JSON.stringify(words)} for ${target}, which this machine does not run for plans (host.commands).`,
    );
  }
}

/** Variables that let a program that is allowed run another one, or code of a file. */
const DECIDING =
  /^(?:PATH|HOME|SHELL|ENV|BASH_ENV|IFS|PROMPT_COMMAND|PAGER|EDITOR|VISUAL|BROWSER|GOFLAGS|GOROOT|GOENV|GOTOOLCHAIN|CC|CXX|AR|LD|MAKEFLAGS|MIX_HOME|ELIXIR_ERL_OPTIONS|ERL_FLAGS|NODE_OPTIONS|NODE_PATH|PERL5LIB|PERL5OPT|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|LONGHAUL_.*|(?:LD|DYLD|GIT|SSH|RUSTC|RUSTUP|CARGO|NPM_CONFIG|PNPM|UV|PIP|PYTHON|XDG)_.*|PYTHON[A-Z]*|RUSTC|RUSTFLAGS)$/i;

function changesPrograms(name: string): boolean {
  return DECIDING.test(name);
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
  throw error;
}
