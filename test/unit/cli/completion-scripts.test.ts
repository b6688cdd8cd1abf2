import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SHELLS } from '../../../client/cli/completion/shells.ts';
import { openShellTerminal, type ShellTerminal } from '../../support/shell-terminal.ts';

/** A shell that is not installed is passed over, except in CI, which installs it (.ci/tools). */
function isMissing(shell: string): boolean {
  if (process.env['CI']) return false;
  try {
    execFileSync(shell, ['-c', 'true']);
    return false;
  } catch {
    return true;
  }
}

describe.for(SHELLS.map((shell) => ({ shell, missing: isMissing(shell) })))('$shell', ({ shell, missing }) => {
  let folder: string;
  let terminal: ShellTerminal;
  beforeAll(async () => {
    if (missing) return;
    folder = await mkdtemp(join(tmpdir(), 'longhaul-shell-'));
    const script = fileURLToPath(new URL(`../../../client/cli/completion/longhaul.${shell}`, import.meta.url));
    terminal = await openShellTerminal(shell, script, folder);
    await mkdir(join(folder, 'work/folder'));
    await writeFile(join(folder, 'work/config.yaml'), '');
  });
  afterAll(async () => {
    if (missing) return;
    await terminal.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const REPOSITORIES = 'local/acme/api\tmain\nlocal/acme/web\tmain\nlocal/acme/sub:group/web\tmain\nlocal/other/x\n';
  const ODD = "local/odd/it's$(touch pwned)\tmain\nlocal/acme/x\n";
  const cases: readonly [about: string, keys: string, answer: string, ran: readonly string[]][] = [
    ['a command', 'doc', 'doctor\tcheck: everything\ndown\tstop\n', ['doctor']],
    ['an option', 'sync --a', '--all\tevery: group\n--due\tthose\n', ['sync', '--all']],
    ['an id with slashes', 'diff local/acme/a', REPOSITORIES, ['diff', 'local/acme/api']],
    ['what several ids have in common', 'diff lo', 'local/acme/api\nlocal/acme/apm\n', ['diff', 'local/acme/ap']],
    ['an id with a colon', 'diff local/acme/sub:g', REPOSITORIES, ['diff', 'local/acme/sub:group/web']],
    [
      'the value after =',
      'search --repo=local/acme/sub:g',
      REPOSITORIES.replaceAll(/^/gm, '--repo='),
      ['search', '--repo=local/acme/sub:group/web'],
    ],
    ['a name that a shell would run', 'diff local/odd', ODD, ['diff', "local/odd/it's$(touch pwned)"]],
    ['a file', 'doctor --config conf', ':file\n', ['doctor', '--config', 'config.yaml']],
    ['a folder', 'config trust fold', ':folder\n', ['config', 'trust', 'folder']],
    ['nothing, without a message', 'watch ', '', ['watch']],
  ];
  test.skipIf(missing).for(cases)('completes %s', async ([, keys, answer, expected]) => {
    const { ran, asked, screen } = await terminal.type(`longhaul ${keys}\t`, answer);
    expect(asked).toEqual(keys.split(' '));
    expect(ran.map((word) => word.replace(/(?<=^folder)\/$/, ''))).toEqual(expected);
    expect(screen).not.toMatch(/error|not found|no match/i);
    expect(existsSync(join(folder, 'work/pwned'))).toBe(false);
  });

  test.skipIf(missing)('evaluates nothing that was typed', async () => {
    const line = 'longhaul search "two words" --repo $(touch pwned) local/acme/a\t';
    // Ctrl+U deletes the line
    const { ran, asked } = await terminal.type(`${line}\u0015longhaul end`, REPOSITORIES);
    expect(asked?.slice(0, 2)).toEqual(['search', 'two words']);
    expect(asked?.at(-1)).toBe('local/acme/a');
    expect(ran).toEqual(['end']);
    expect(existsSync(join(folder, 'work/pwned'))).toBe(false);
  });

  test.skipIf(missing)('an open quote is not ended by a name', async () => {
    // zsh and fish close the quote themselves
    const { ran } = await terminal.type(`longhaul diff 'local/odd\t${shell === 'bash' ? "'" : ''}`, ODD);
    expect(existsSync(join(folder, 'work/pwned'))).toBe(false);
    expect(['local/odd', "local/odd/it's$(touch pwned)"]).toContain(ran[1]?.trim());
  });
});
