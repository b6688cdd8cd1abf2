import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeal, newKeyFile, type Seal } from '../../../../activities/release/deployment/sealed.ts';
import { renderOf } from '../../../support/release/deployment-programs.ts';
import { type Jobs, openJobs } from '../../../support/release/jobs.ts';

let jobs: Jobs;
let seal: Seal;
beforeAll(async () => {
  jobs = await openJobs();
  seal = await createSeal({ identity: (await newKeyFile()).split('\n')[2] ?? '' });
});
afterAll(() => jobs.close());

const render = (manifests: string, files: Readonly<Record<string, string>> = {}): Promise<string> =>
  renderOf(jobs, { manifests, files, seal });

/** All files in the folder of the blob store, and elsewhere on the worker's machine. */
function filesOfWorker(): readonly Buffer[] {
  return readdirSync(jobs.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

describe('manifests', () => {
  test('of a folder are its YAML and JSON files in the order of their paths, and the same bytes each time', async () => {
    const files = {
      'k8s/b.yaml': 'b: 1',
      'k8s/a/c.json': '{}',
      'k8s/README.md': 'not this',
      'other.yaml': 'nor: this',
    };
    const rendered = await render('{folder: k8s}', files);
    expect(rendered).toBe('---\n{}\n---\nb: 1\n');
    expect(await render('{folder: k8s}', files)).toBe(rendered);
  });

  test('of a program are what it writes to standard output, without what it says on standard error', async () => {
    const command =
      '\'echo a warning >&2; sed s/old/new/ chart.txt; echo "# $LONGHAUL_ENVIRONMENT $LONGHAUL_SERVICE"\'';
    expect(await render(`{command: ${command}}`, { 'chart.txt': 'old: 1\n' })).toBe('new: 1\n# staging api\n');
    expect(await render('{run: [cat, chart.txt]}')).toBe('old: 1\n');
  });

  test('lie sealed on disks: no Secret of them can be found, nor its base64', async () => {
    // not in the commit, as of helm with the secrets plugin
    const command = `'printf "kind: Secret\\nstringData: {a: %s-%s}\\ndata: {b: %s}\\n" horse staple "$(printf %s-%s horse staple | base64)"'`;
    const value = 'horse-staple';
    const base64 = Buffer.from(value).toString('base64');
    const rendered = await render(`{command: ${command}}`);
    expect(rendered).toBe(`kind: Secret\nstringData: {a: ${value}}\ndata: {b: ${base64}}\n`);
    const files = filesOfWorker();
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => file.includes(value) || file.includes(base64))).toEqual([]);
    // what is searched is found where it lies open
    writeFileSync(join(jobs.folder, 'open'), rendered);
    expect(filesOfWorker().filter((file) => file.includes(value) && file.includes(base64))).toHaveLength(1);
  });

  test.each([
    ['{folder: nowhere}', 'there is no folder nowhere in the commit'],
    ['{folder: k8s/a/c.json}', 'there is no folder k8s/a/c.json in the commit'],
    ['{folder: empty}', 'the folder empty has no YAML or JSON file'],
    ['{command: "echo no chart >&2; exit 3"}', 'it exited with 3. It said: no chart'],
    ['{run: [no-such-program]}', 'it exited with 127'],
    // as the size of a sparse file, and as bytes
    ['{command: "truncate --size=9G .git/longhaul-manifests"}', 'have more than 16000000 bytes'],
    ['{command: "head -c 17000000 /dev/zero"}', 'have more than 16000000 bytes'],
  ])('%s: a sentence names what is missing', async (manifests, message) => {
    const files = { 'k8s/a/c.json': '{}', 'empty/a.txt': '' };
    await expect(render(manifests, files)).rejects.toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringContaining(message) as string,
    });
  });

  test('are never files of the worker that a program or a commit links to', async () => {
    const secret = join(jobs.folder, 'secret.yaml');
    writeFileSync(secret, 'the secret of the worker');
    const swap = `'rm .git/longhaul-manifests; ln -s ${secret} .git/longhaul-manifests'`;
    await expect(render(`{command: ${swap}}`)).rejects.toThrow('the program has replaced the file with its output');
    const swapFolder = `'mv .git git; ln -s ${jobs.folder} .git; cp git/longhaul-manifests longhaul-manifests'`;
    await expect(render(`{command: ${swapFolder}}`)).rejects.toThrow('the program has replaced the file');

    const repository = join(jobs.folder, 'repository');
    mkdirSync(join(repository, 'linked'), { recursive: true });
    symlinkSync(secret, join(repository, 'linked', 'link.yaml'));
    symlinkSync(jobs.folder, join(repository, 'outside'));
    expect(await render('{folder: linked}', { 'linked/own.yaml': 'own: 1' })).toBe('---\nown: 1\n');
    await expect(render('{folder: outside}')).rejects.toThrow('there is no folder outside in the commit');
  });

  // the last one: each commit after it would have the file
  test('of a folder are as large as those of a program at most', async () => {
    const files = { 'huge/a.yaml': '#'.repeat(17_000_000) };
    await expect(render('{folder: huge}', files)).rejects.toThrow('have more than 16000000 bytes');
  });
});
