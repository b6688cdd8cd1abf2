import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { git } from '../../support/scratch-git.ts';
import { hostTest, type WorkspaceHost } from '../../support/workspace/workspace-host.ts';

const test = hostTest();

/** A folder with a manifest that names these repositories of the estate, on a branch. */
function workspaceOf({ roots, estate }: WorkspaceHost, name: string, repositories: readonly string[]): string {
  const root = join(roots, name);
  mkdirSync(root, { recursive: true });
  const entries = repositories.map((each) => `  - { origin: ${JSON.stringify(estate.gitDir(each))} }`);
  writeFileSync(
    join(root, 'longhaul.workspace.yaml'),
    ['branch: feature/login', 'repositories:', ...entries, ''].join('\n'),
  );
  return root;
}

async function planOf(host: WorkspaceHost, root: string): Promise<string> {
  const file = `${root}.plan.json`;
  const planned = await host.longhaul('workspace', 'plan', '--root', root, '-o', file);
  expect(planned).toMatchObject({ exitCode: 0 });
  return file;
}

/** The states of the plan of a workspace, as the audit trail has them. */
async function statesOf({ ledger }: WorkspaceHost, root: string): Promise<readonly string[]> {
  const rows = await ledger.sql<{ readonly event_type: string }>(
    `SELECT event_type FROM longhaul.audit_events WHERE resource_id = 'workspace/desk${root}' ORDER BY event_id`,
  );
  return rows.map(({ event_type: type }) => type);
}

describe('longhaul workspace apply', () => {
  test('makes the repositories of a plan, with branches and real remotes, and the same plan again does nothing', async ({
    host,
  }) => {
    const { estate } = host;
    await estate.create('acme/api', { 'README.md': 'an api\n' });
    await estate.create('acme/web', { 'README.md': 'a page\n' });
    const root = workspaceOf(host, 'login', ['acme/api', 'acme/web']);
    const plan = await planOf(host, root);

    const looked = await host.longhaul('workspace', 'apply', plan, '--root', root, '--dry-run');
    expect(looked).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('can be applied: 2 operations') as string,
    });
    expect(existsSync(join(root, 'api'))).toBe(false);
    expect(await statesOf(host, root)).toEqual([]);

    const applied = await host.longhaul('workspace', 'apply', plan, '--root', root, '--json');
    expect(applied).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(applied.stdout)).toMatchObject({ outcome: 'committed', operations: 2, drift: [], kept: [] });
    for (const name of ['api', 'web']) {
      const folder = join(root, name);
      expect(git(folder, 'branch', '--show-current')).toBe('feature/login');
      expect(git(folder, 'remote', 'get-url', 'origin')).toBe(estate.gitDir(`acme/${name}`));
      expect(git(folder, 'status', '--porcelain')).toBe('');
      git(folder, 'fsck', '--strict');
    }
    expect(await statesOf(host, root)).toEqual([
      'workspace.planned',
      'workspace.verified',
      'workspace.executing',
      'workspace.committed',
    ]);

    const again = await host.longhaul('workspace', 'apply', plan, '--root', root);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('was applied already') as string });
  });

  test('goes on with a plan whose worker was killed', async ({ host }) => {
    const { estate } = host;
    const names = Array.from({ length: 12 }, (_each, at) => `many/part${at}`);
    const files = Object.fromEntries(
      Array.from({ length: 400 }, (_each, at) => [`src/file${at}.txt`, `${at}\n`.repeat(50)]),
    );
    for (const name of names) await estate.create(name, files);
    const root = workspaceOf(host, 'many', names);
    const plan = await planOf(host, root);
    const applying = host.longhaul('workspace', 'apply', plan, '--root', root);
    await expect.poll(() => existsSync(join(root, '.graft/aside')), { interval: 5 }).toBe(true);
    await host.endWorkers('SIGKILL');
    const made = names.filter((name) => existsSync(join(root, name.slice(5))));
    host.startWorker();
    expect(await applying).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('12 operations') as string });
    expect(made.length).toBeLessThan(names.length);
    for (const name of names) expect(git(join(root, name.slice(5)), 'status', '--porcelain')).toBe('');
    expect(readdirSync(join(root, '.graft'))).not.toContain('aside');
    expect((await statesOf(host, root)).at(-1)).toBe('workspace.committed');
  });

  test('refuses what the machine does not allow, before the first change', async ({ host }) => {
    const { roots, estate } = host;
    await estate.create('acme/lib', { 'README.md': 'a library\n' });
    const root = workspaceOf(host, 'refused', ['acme/lib']);
    const plan = await planOf(host, root);
    symlinkSync('/usr', join(roots, 'elsewhere'));
    for (const other of ['/etc', roots, join(roots, 'elsewhere/share')]) {
      const refused = await host.longhaul('workspace', 'apply', plan, '--root', other);
      expect(refused).toMatchObject({
        exitCode: 9,
        stderr: expect.stringContaining('is not below a folder') as string,
      });
    }
    writeFileSync(join(root, 'lib'), 'in the way\n');
    const taken = await host.longhaul('workspace', 'apply', plan, '--root', root);
    expect(taken).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('there is a file at') as string });
    expect(readdirSync(root)).not.toContain('.graft');
    expect(await statesOf(host, root)).toEqual(['workspace.refused']);

    const edited = join(root, 'edited.json');
    writeFileSync(edited, readFileSync(plan, 'utf8').replaceAll('feature/login', 'main'));
    const forged = await host.longhaul('workspace', 'apply', edited, '--root', root);
    expect(forged).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('was edited after it was made') as string,
    });
  });
});
