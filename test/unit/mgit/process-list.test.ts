import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startForge } from '../../support/forge.ts';
import { changesOf, openMgit } from '../../support/mgit.ts';
import { recordGit } from '../../support/recorded-git.ts';
import { commitTree, files, initRepository, scratchFolder } from '../../support/scratch-git.ts';

const TOKEN = 'canary-0123456789abcdefghij';
const OTHER = 'canary-of-another-program';

/** The forms in which a secret can appear. */
const formsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  ...['', 'a', 'ab'].map((before) =>
    Buffer.from(before + secret)
      .toString('base64')
      .slice(4, 20),
  ),
];

test('no argument of a git process has a token, and no variable has those of other programs', async () => {
  const folder = scratchFolder();
  const forge = await startForge(join(folder, 'forge'), { token: TOKEN });
  onTestFinished(() => forge.close());
  const path = join(forge.root, 'acme', 'api.git');
  mkdirSync(path, { recursive: true });
  initRepository(path, '--bare');
  commitTree(path, files({ 'a.ts': 'export {};\n' }));
  const recorded = recordGit(folder);
  const provider = {
    name: 'web',
    type: 'github' as const,
    url: forge.url,
    tokenEnv: 'T',
    archived: false,
    forks: false,
  };
  const env = {
    PATH: `${recorded.bin}:${process.env['PATH']}`,
    T: TOKEN,
    GITHUB_TOKEN: OTHER,
    AWS_SECRET_ACCESS_KEY: OTHER,
  };
  const mgit = openMgit(join(folder, 'cache'), [provider], { env });
  const [repository] = await mgit.list(['acme/api']);
  if (repository === undefined) throw new Error('the forge does not list it');
  expect(await changesOf(await mgit.diff(repository, null))).toHaveLength(1);

  const starts = recorded.starts().map((argv) => argv.join(' '));
  const variables = recorded.variables();
  expect(starts.some((line) => line.includes(' fetch '))).toBe(true);
  expect(starts.some((line) => line.includes('remote-http'))).toBe(true);
  // git itself gets the token in its environment, which only the same user can read: so the search below can find one
  const header = variables.filter((line) => formsOf(`x-access-token:${TOKEN}`).some((form) => line.includes(form)));
  expect(header.length).toBeGreaterThan(0);
  for (const form of formsOf(TOKEN)) expect(starts.filter((line) => line.includes(form))).toEqual([]);
  for (const form of formsOf(OTHER))
    expect([...starts, ...variables].filter((line) => line.includes(form))).toEqual([]);
});
