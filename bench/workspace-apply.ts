import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { applyWorkspacePlan, checkWorkspacePlan } from '../activities/workspace/apply-plan.ts';
import { loadConfig } from '../activities/shared/config.ts';
import { workspaceKey } from '../domain/workspace/flows/apply-plan-flow.ts';
import { CLEAN_GIT_ENV, git } from '../examples/git.ts';
import { makeLinkedRepositories } from '../examples/linked-repositories.ts';
import { longhaulShown, type LonghaulOptions } from '../examples/longhaul.ts';
import { readState } from '../stack/state.ts';
import { siteOf } from '../test/support/workspace/plan-site.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';

/** Workspaces of 40 repositories of published packages, against git in a shell loop. */
export const workspaceApply: Benchmark = {
  about: 'a workspace of 40 repositories is made, and made again, ÷ git clone and git status by xargs -P4',
  measure,
};

const HOST = 'desk';
const CLONE_LOOP = fileURLToPath(new URL('clone-loop.sh', import.meta.url));
const STATUS_LOOP = fileURLToPath(new URL('status-loop.sh', import.meta.url));

async function measure({ dir, runs, signal, note }: BenchContext): Promise<Figure[]> {
  const remotes = join(dir, 'remotes');
  const { cacheDir } = loadConfig({ env: process.env });
  note('making the repositories');
  const paths = await makeLinkedRepositories({ root: remotes, cacheDir: join(cacheDir, 'judged', 'packages'), signal });
  const roots = join(dir, 'work');
  await mkdir(roots);
  const options: LonghaulOptions = { config: join(dir, 'longhaul.yaml'), dataDir: join(dir, 'data'), signal };
  await writeFile(options.config, stringify({ providers: [], host: { name: HOST, roots: [roots] } }));
  await longhaulShown(['up', '--detach'], options, 0);
  const { temporal } = readState(join(dir, 'data'));
  if (temporal === null) throw new Error('there is no Temporal');
  const connection = await Connection.connect({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const values = {
    made: [] as number[],
    command: [] as number[],
    same: [] as number[],
    sameCommand: [] as number[],
    disk: [] as number[],
    events: [] as number[],
  };
  const manifest = stringify(manifestOf(remotes, paths));
  const planFor = async (root: string): Promise<string> => {
    await mkdir(root);
    await writeFile(join(root, 'longhaul.workspace.yaml'), manifest);
    const plan = `${root}.plan.json`;
    await longhaulShown(['workspace', 'plan', '--root', root, '-o', plan], options, 0);
    return plan;
  };
  try {
    for (let run = 0; run < runs; run++) {
      const bare = join(dir, `bare${run}`);
      await mkdir(bare);
      const lines = paths.map((path) => `${join(remotes, `${path}.git`)} ${join(bare, nameOf(path))}\n`).join('');
      const loop = await timed(() => shell(CLONE_LOOP, lines, signal));

      // what the activities of the machine do
      const first = join(roots, `executor${run}`);
      const bytes = await readFile(await planFor(first));
      const place = siteOf({ scratch: join(dir, 'executor'), root: first });
      const execute = () =>
        timed(async () => {
          const { isThere } = await checkWorkspacePlan(bytes, place);
          if (!isThere) await applyWorkspacePlan(bytes, place);
        });
      values.made.push((await execute()).seconds / loop.seconds);
      mustEqual('repositories', await stateOf(first, paths), await stateOf(bare, paths));
      const folders = paths.map((path) => `${join(first, nameOf(path))}\n`).join('');
      const status = await timed(() => shell(STATUS_LOOP, folders, signal));
      values.same.push((await execute()).seconds / status.seconds);

      // what a person waits for: the command line and the flow with them
      const second = join(roots, `command${run}`);
      const plan = await planFor(second);
      const apply = () => timed(() => longhaulShown(['workspace', 'apply', plan, '--root', second], options, 0));
      values.command.push((await apply()).seconds - loop.seconds);
      mustEqual('repositories', await stateOf(second, paths), await stateOf(bare, paths));
      const { events } = await client.workflow.getHandle(workspaceKey(HOST, second)).fetchHistory();
      values.events.push(events?.length ?? 0);
      values.sameCommand.push((await apply()).seconds);
      values.disk.push(await diskRatio(second, [first, remotes]));
    }
    return [
      { what: '40 repositories ÷ git clone and git status by xargs -P4', unit: '×', values: values.made, bar: '≤ 1.3' },
      { what: 'the command for them − the same', unit: 's', values: values.command, bar: '≤ 1' },
      { what: 'the same plan again ÷ git status by xargs -P4', unit: '×', values: values.same, bar: '≤ 2' },
      { what: 'the command for that', unit: 's', values: values.sameCommand, bar: '≤ 1' },
      { what: 'disk of a second workspace ÷ its checked-out files', unit: '×', values: values.disk, bar: '≤ 1.2' },
      { what: 'history events of an apply of 40', unit: 'count', values: values.events, bar: '≤ 400' },
    ];
  } finally {
    await connection.close();
    await longhaulShown(['down'], { config: options.config, dataDir: join(dir, 'data') }, 0);
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function manifestOf(remotes: string, paths: readonly string[]): object {
  return {
    repositories: paths.map((path) => ({ name: nameOf(path), origin: join(remotes, `${path}.git`), role: 'read' })),
  };
}

async function shell(script: string, input: string, cancelSignal: AbortSignal): Promise<void> {
  await execa(script, { input, env: CLEAN_GIT_ENV, extendEnv: false, cancelSignal });
}

/** The commit, the status and the number of files of each repository, as text. */
async function stateOf(root: string, paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    paths.map(async (path) => {
      const at = ['-C', join(root, nameOf(path))];
      const [commit, status, files] = await Promise.all([
        git([...at, 'rev-parse', 'HEAD']),
        git([...at, 'status', '--porcelain']),
        git([...at, 'ls-files']),
      ]);
      return `${path} ${commit} ${status} ${files.split('\n').length}`;
    }),
  );
  return states.join('\n');
}

/** Bytes on disk of a folder that it does not share with others, by those of its files outside `.git` and `.graft`. */
async function diskRatio(root: string, others: readonly string[]): Promise<number> {
  const shared = new Set<string>();
  for (const other of others) for await (const { inode } of filesBelow(other)) shared.add(inode);
  let [own, files] = [0, 0];
  for await (const { path, inode, bytes } of filesBelow(root)) {
    if (!shared.has(inode)) own += bytes;
    if (!/\/\.(?:git|graft)\//u.test(path)) files += bytes;
  }
  return own / files;
}

async function* filesBelow(
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly inode: string; readonly bytes: number }> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    const { dev, ino, blocks } = await lstat(path);
    yield { path, inode: `${dev} ${ino}`, bytes: blocks * 512 };
  }
}
