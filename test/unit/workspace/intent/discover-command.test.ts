import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSnapshot } from '../../../../domain/workspace/workspace-snapshot.schema.ts';
import { git, scratchFolder } from '../../../support/scratch-git.ts';
import { giteaIssue, serveIssues } from '../../../support/workspace/issue-server.ts';
import { registryServer } from '../../../support/workspace/registry-server.ts';
import { committedRepository, packageJson, runWorkspace } from '../../../support/workspace/run-workspace.ts';

/** A workspace in which `web` needs `@acme/core`. */
function workspace(): { readonly scratch: string; readonly root: string } {
  const scratch = scratchFolder();
  const root = join(scratch, 'root');
  committedRepository(join(root, 'core'), { 'package.json': packageJson('@acme/core', '1.4.0') });
  committedRepository(join(root, 'web'), { 'package.json': packageJson('web', '1.0.0', { '@acme/core': '^1.0.0' }) });
  return { scratch, root };
}

test('a sentence in the words of a command, for people and for programs', async () => {
  const { scratch, root } = workspace();
  writeFileSync(join(root, 'core', 'new.js'), '');
  const words = ['validate', 'my', 'change', 'downstream'];
  const shown = await runWorkspace(scratch, ['discover', ...words, '--root', root]);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out.split('\n')).toEqual([
    'Repositories:',
    '  core: it has changes',
    '  web: it needs core',
    'capabilities: javascript',
    'skills: javascript, core',
    'effort: large: 2 repositories are validated',
    'scope: several repositories: a change is validated in everything that needs it',
    'links: web to core',
    '',
  ]);
  const { code, out } = await runWorkspace(scratch, ['discover', ...words, '--root', root, '--ttl', '2h', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    repos: [{ name: 'core' }, { name: 'web' }],
    requirements: { repos: ['core', 'web'], links: [{ from: 'web', to: 'core', type: 'path' }], ttl: '2h' },
  });
});

test('an intent from a file; one that is wrong is refused with its field', async () => {
  const { scratch, root } = workspace();
  const file = join(scratch, 'intent.json');
  writeFileSync(file, JSON.stringify({ capabilities: ['core'], constraints: { time: '2h' } }));
  const { code, out } = await runWorkspace(scratch, ['discover', '--intent', file, '--root', root]);
  expect(code).toBe(0);
  expect(out).toContain('  core: core is named\n');
  expect(out).toContain('time: 2h\n');
  writeFileSync(file, JSON.stringify({ constraints: { max_repos: 'few' } }));
  const wrong = await runWorkspace(scratch, ['discover', '--intent', file, '--root', root]);
  expect(wrong).toMatchObject({
    code: 2,
    err: expect.stringContaining('constraints.max_repos must be a number'),
  });
  const nothing = await runWorkspace(scratch, ['discover', '--root', root]);
  expect(nothing).toMatchObject({ code: 2, err: expect.stringContaining('Say what you want to work on') });
  const ttl = await runWorkspace(scratch, ['discover', 'core', '--root', root, '--ttl', 'soon']);
  expect(ttl).toMatchObject({ code: 2, err: expect.stringContaining('such as 90m, 2h or 3d') });
});

test('registries are asked with an option; what they say is in the snapshot, and one that fails is named', async () => {
  const { scratch, root } = workspace();
  const body = {
    'dist-tags': { latest: '1.5.0' },
    versions: { '1.4.0': {}, '1.5.0': { deprecated: 'use \u001b[2J @acme/base' } },
  };
  const { url } = await registryServer((path, response) => {
    if (path === '/@acme%2fcore') response.end(JSON.stringify(body));
    else response.writeHead(404).end();
  });
  const env = { npm_config_registry: url };
  const file = join(scratch, 'snapshot.json');
  const shown = await runWorkspace(scratch, ['discover', '--registries', '--snapshot', file, '--root', root], env);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out.split('\n')).toEqual([
    'npm: 1 of 2 packages are published',
    'npm: @acme/core 1.5.0 is deprecated: use [2J @acme/base',
    '',
  ]);
  const kept = JSON.parse(readFileSync(file, 'utf8')) as { readonly registries: object; readonly hex: unknown };
  expect(readSnapshot(kept, file)).toMatchObject({
    hex: null,
    registries: {
      npm: { packages: [{ name: '@acme/core', latest: '1.5.0', retired: [{ version: '1.5.0' }] }] },
      pypi: null,
      go: null,
      crates: null,
    },
  });
  const args = ['discover', 'core', '--registries', '--json', '--root', root];
  const failed = await runWorkspace(scratch, args, { npm_config_registry: 'ftp://127.0.0.1' });
  expect(failed.code).toBe(0);
  expect(JSON.parse(failed.out)).toMatchObject({
    repos: [{ name: 'core' }],
    registries: { npm: null },
    sources: [{ source: 'npm', problem: expect.stringContaining('its address is no HTTP address') }],
  });
});

test('forges are asked with an option: topics and labels become words, and repositories that are skipped are named', async () => {
  const { scratch, root } = workspace();
  const labels = [{ name: 'area/login' }];
  const issues = [giteaIssue(9, { labels, pull_request: { draft: false } }), giteaIssue(7, { labels })];
  const env = await serveIssues(scratch, root, { issues, topics: ['identity'] });
  git(join(root, 'web'), 'remote', 'add', 'origin', 'https://elsewhere.example/acme/web.git');
  const args = ['discover', 'area/login', 'identity', 'bugs', '--issues', '--root', root];
  const shown = await runWorkspace(scratch, args, env);
  expect(shown).toMatchObject({ code: 0, err: '' });
  expect(shown.out).toContain('  core: its topic is identity\n');
  expect(shown.out).toContain('labels: area/login\n');
  expect(shown.out).toContain('core: 1 open issues, 1 open pull requests\n');
  expect(shown.out).toContain(
    'The issues of web were not read: no forge is configured for https://elsewhere.example/acme/web.git.\n',
  );
  const file = join(scratch, 'snapshot.json');
  const { out } = await runWorkspace(scratch, [...args, '--json', '--snapshot', file], env);
  expect(JSON.parse(out)).toMatchObject({
    github: { issues: [{ repo: 'core', number: 7 }], prs: [{ repo: 'core', number: 9 }] },
    prs: [{ number: 9 }],
    registries: null,
  });
  expect(readSnapshot(JSON.parse(readFileSync(file, 'utf8')), file)).toMatchObject({
    prs: [{ repo: 'core', number: 9, author: 'ada', labels: ['area/login'] }],
  });
});
