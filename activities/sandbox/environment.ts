import { LonghaulError } from '../../domain/shared/failures.ts';

/** Names that bash keeps for itself. */
const OF_BASH = ['BASHOPTS', 'BASH_VERSINFO', 'EUID', 'PPID', 'SHELLOPTS', 'UID'];

/** The environment of a program as lines `NAME=value`. What it names itself replaces the defaults. */
export function environmentOf(
  own: Readonly<Record<string, string>>,
  defaults: Readonly<Record<'PATH' | 'HOME' | 'TMPDIR', string>>,
): string[] {
  return Object.entries({ LANG: 'C.UTF-8', ...defaults, ...own }).map(([name, value]) => {
    const isUsable = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !OF_BASH.includes(name) && !value.includes('\0');
    if (isUsable) return `${name}=${value}`;
    throw new LonghaulError('InvalidInput', `env: the variable ${JSON.stringify(name)} cannot be given to a program.`);
  });
}
