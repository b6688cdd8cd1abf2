import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../scratch-git.ts';

/** Settings with which git sees all changes. */
const ALL = ['checkStat=default', 'trustctime=true', 'fileMode=true', 'ignoreCase=false'].flatMap((setting) => [
  '-c',
  `core.${setting}`,
]);

/** Everything in a repository, read by git and by the system only. */
export function everythingIn(clone: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const look = (folder: string, name: string): void => {
    for (const entry of readdirSync(folder).toSorted()) {
      const [path, at] = [join(folder, entry), `${name}/${entry}`];
      const info = lstatSync(path);
      if (at === '/.git') continue;
      if (info.isSymbolicLink()) found[at] = `link ${readlinkSync(path)}`;
      else if (info.isDirectory()) look(path, at);
      else found[at] = `${info.mode & 0o100} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    }
  };
  look(clone, '');
  for (const args of [
    ['for-each-ref'],
    ['rev-parse', '--verify', 'HEAD'],
    ['rev-list', '--all'],
    ['stash', 'list', '--format=%H %gs'],
    ['status', '--porcelain=v2', '--branch', '--ignored'],
    ['diff', '--cached', '--binary'],
    ['diff', '--binary'],
    ['config', '--local', '--list'],
  ]) {
    found[args.join(' ')] = git(clone, '--no-optional-locks', ...ALL, ...args);
  }
  git(clone, 'fsck', '--strict');
  return found;
}
