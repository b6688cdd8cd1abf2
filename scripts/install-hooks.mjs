// The git hooks of this repository, which `npm run setup` installs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of the hooks, relative to the root of a checkout. */
export const HOOKS = 'scripts/hooks';

/**
 * Sets `core.hooksPath` of the checkout at `root` to our hooks; returns one line that says what was done. The path is
 * relative, so every worktree runs its own hooks. Other hooks of the developer are not replaced. Throws when git fails.
 */
export function installHooks(root) {
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (!existsSync(join(root, '.git'))) return 'not a git checkout: no hooks installed';
  const current = git('config', '--get', 'core.hooksPath').stdout.trim();
  if (current === HOOKS) return `${HOOKS} is in use`;
  if (current !== '')
    return `core.hooksPath is ${current} and was not changed; to use our hooks: git config core.hooksPath ${HOOKS}`;
  const { status, stderr } = git('config', '--local', 'core.hooksPath', HOOKS);
  if (status !== 0) throw new Error(`git config core.hooksPath: ${stderr.trim()}`);
  return `${HOOKS} installed: staged files are formatted and linted, commit messages are checked`;
}
