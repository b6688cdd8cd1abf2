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
    const variable = decidingVariable((environment ?? {}) as object);
    if (variable !== null) {
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

/**
 * Variables that let a program that is allowed run another one, or code of a file, by what reads them. Any case counts: npm,
 * yarn and pnpm read theirs so, and no other tool has a meaning of its own for another case.
 */
const DECIDING = new RegExp(
  `^(?:${[
    // shells, the loader, and what starts helpers
    'PATH|HOME|SHELL|ENV|BASH_ENV|BASH_FUNC_.*|BASHOPTS|SHELLOPTS|ZDOTDIR|IFS|PS4|PROMPT_COMMAND|XDG_.*',
    'LD|LD_.*|DYLD_.*|GCONV_PATH|GLIBC_TUNABLES|OPENSSL_(?:CONF|MODULES|ENGINES)',
    'PAGER|LESSOPEN|LESSCLOSE|EDITOR|VISUAL|BROWSER|GIT_.*|SSH_.*|LONGHAUL_.*',
    // compilers and make
    '(?:HOST_|TARGET_)?(?:CC|CXX|CPP|FC|AR|AS|NM|RANLIB)(?:_.*)?|(?:C|CPP|CXX|F|LD)FLAGS(?:_.*)?',
    'GCC_EXEC_PREFIX|COMPILER_PATH|PKG_CONFIG.*|CMAKE.*|MAKE|MAKEFILES|GNUMAKEFLAGS|MAKEFLAGS|MFLAGS',
    // Go
    'GO(?:FLAGS|ROOT|ENV|PATH|MODCACHE|CACHE|CACHEPROG|TOOLCHAIN|TOOLDIR|AUTH|VCS|WORK|PACKAGESDRIVER)',
    'CGO_(?!ENABLED$).*|GCCGO.*',
    // Erlang and Elixir
    'ERL_.*|ELIXIR_.*|REBAR3?_.*|HEX_.*|MIX_(?:HOME|PATH|ARCHIVES|REBAR3?|EXS|XDG|DEPS_PATH|BUILD_.*|INSTALL_.*)',
    // JavaScript
    'NODE_(?:OPTIONS|PATH|REPL_.*)|NPM_(?:CONFIG_.*|EXECPATH|NODE_EXECPATH)|PNPM_.*|YARN_.*|COREPACK_.*|BUN_.*|DENO_.*',
    // Python, Perl, Ruby
    'PYTHON.*|PIP_.*|UV_.*|PYTEST_.*|VIRTUAL_ENV|PERL5.*|PERLLIB|RUBY.*|GEM_.*|BUNDLE_.*',
    // Rust
    'CARGO|CARGO_.*|RUSTC|RUSTC_.*|RUSTDOC|RUSTUP_.*|RUSTFLAGS|RUSTDOCFLAGS',
    // Java
    'JAVA_HOME|JAVA_OPTS|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA.*|CLASSPATH|MAVEN_.*|GRADLE_.*',
  ].join('|')})$`,
  'i',
);

/** The first of these variables that decides what programs run, so that no plan and no manifest may set it; null for none. */
export function decidingVariable(environment: object): string | null {
  return Object.keys(environment).find((name) => DECIDING.test(name)) ?? null;
}

function absent(error: unknown): null {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null;
  throw error;
}
