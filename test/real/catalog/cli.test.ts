import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { SearchAnswer } from '../../../activities/index/search.ts';
import { BIN, commandEnv, longhaul, longhaulProcess, longhaulOnTerminal } from '../../support/command.ts';
import { createEstate, type Estate } from '../../support/estate.ts';
import { objectIdsOf, openEstate, sourceOf } from '../../support/catalog/flows.ts';
import { NAMESPACE } from '../../support/namespace.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';

/** For a command without a question. */
const NO_QUESTION = { question: '\u0000', answer: '' };
const LANES = sourceOf('workflows/shared/lanes.ts');
const RECEIPT = sourceOf('domain/catalog/index/receipt.ts');

describe('longhaul', () => {
  let estate: Estate;
  let worker: WorkerProcess;
  let env: Record<string, string>;
  beforeAll(async () => {
    estate = await createEstate();
    await estate.create('acme/api', {
      'src/lanes.ts': LANES,
      'src/receipt.ts': RECEIPT,
      'web/page.html': '<p>hello</p>\n',
    });
    await estate.create('acme/tools', {
      'tool.py': 'def parse_token(text):\n    """Reads a token."""\n    return text\n',
    });
    worker = await startWorkerProcess(estate);
    env = commandEnv(estate);
  });
  afterAll(async () => {
    await worker.stop();
    await estate.dispose();
  });

  async function json<Value>(...args: string[]): Promise<Value> {
    const { exitCode, stdout, stderr } = await longhaul(env, [...args, '--json']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.trimEnd()).not.toBe('');
    return JSON.parse(stdout) as Value;
  }

  test('lists the repositories of the providers', async () => {
    const listed = await json<{ id: string; clone_url: string; default_branch: string }[]>('repos', 'list', 'acme/*');
    expect(listed).toMatchObject([{ id: 'local/acme/api', organization: 'acme' }, { id: 'local/acme/tools' }]);
  });

  test('prints a dry run and changes nothing', async () => {
    expect(await json('index', 'add', '--pattern', 'acme/*', '--dry-run')).toMatchObject({ matched: 2, upToDate: [] });
    expect(await json('index', 'list')).toEqual([]);
  });

  test('treats the end of the input as no, can be interrupted, and stops asking when the question was answered elsewhere', async () => {
    const add = ['index', 'add', '--pattern', 'acme/*'];
    const ended = await longhaulOnTerminal(env, add, { question: '[y/N]: ', answer: '\u0004' });
    expect(ended.screen).toContain('Declined');
    const left = await longhaulOnTerminal(env, add, { question: '[y/N]: ', answer: '\u0003' });
    expect(left.exitCode).toBe(130);
    const [, id = ''] = /longhaul watch (\S+)/.exec(left.screen) ?? [];
    const connection = await Connection.connect({ address: inject('stack').temporalAddress });
    onTestFinished(() => connection.close());
    const handle = new Client({ connection, namespace: NAMESPACE }).workflow.getHandle(id);
    const elsewhere = async (): Promise<string> => {
      await handle.executeUpdate('confirm', { args: [{ proceed: false, by: 'ada' }] });
      return '';
    };
    const watch = { question: '[y/N]: ', answer: elsewhere };
    const { screen, exitCode } = await longhaulOnTerminal(env, ['watch', id], watch);
    expect(screen).toContain('Answered elsewhere.');
    expect(screen).toContain('Declined');
    expect(exitCode).toBe(0);
  });

  test('asks on a terminal, shows progress, and indexes', async () => {
    const accepted = await longhaulOnTerminal(env, ['index', 'add', '--pattern', 'acme/*'], {
      question: '[y/N]: ',
      answer: 'y\n',
    });
    expect(accepted.screen).toContain('Matched 2 repositories. Proceed with initial indexing? [y/N]: ');
    expect(accepted.screen).toMatch(/succeeded\s+│ 2/);
    expect(accepted.exitCode).toBe(0);
  });

  test('completes repositories and running workflows in a shell', async () => {
    const complete = async (...words: string[]): Promise<string[]> =>
      (await longhaul(env, ['complete', '--', ...words])).stdout.split('\n');
    await expect.poll(() => complete('diff', '')).toContain('local/acme/api\tmain');
    const client = new Client({
      connection: await Connection.connect({ address: inject('stack').temporalAddress }),
      namespace: NAMESPACE,
    });
    onTestFinished(() => client.connection.close());
    const running = await client.workflow.start('waitsForEver', { workflowId: 'complete/me', taskQueue: 'unserved' });
    // a list shows a workflow a moment after its start, and a terminated one no more
    await expect.poll(() => complete('watch', '')).toContain('complete/me\twaitsForEver');
    await running.terminate();
    await expect.poll(() => complete('watch', '')).not.toContain('complete/me\twaitsForEver');
  });

  test('does not ask without a terminal', async () => {
    const { exitCode, stderr } = await longhaul(env, ['index', 'add', '--pattern', 'acme/*'], 'y\n');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--yes');
  });

  test('reports that no worker is running, when a flow would wait forever', async () => {
    const nobody = { ...env, TEMPORAL_NAMESPACE: 'default' };
    const options = { env: nobody, extendEnv: false, reject: false, stdin: 'ignore' } as const;
    const program = execa(process.execPath, [BIN, 'sync', '--all'], options);
    let said = '';
    program.stderr.on('data', (data: Buffer) => (said += data.toString()));
    const hint = 'No worker serves longhaul-flows and longhaul-repos in the namespace default';
    await expect.poll(() => said).toContain(hint);
    program.kill('SIGINT');
    // would time out if the program waited for Temporal's answer, which takes a minute
    const hanging = setTimeout(() => program.kill('SIGKILL'), 30_000);
    expect((await program).exitCode).toBe(130);
    clearTimeout(hanging);
  });

  test('searches by words and by meaning, with filters', async () => {
    const answer = await json<SearchAnswer>('search', 'run items in bounded lanes');
    expect(answer.results[0]).toMatchObject({ repo: 'local/acme/api', path: 'src/lanes.ts', language: 'TypeScript' });
    expect(answer.results[0]?.commit).toMatch(/^[0-9a-f]{40}$/);
    const [first] = answer.results;
    expect(
      LANES.split('\n')
        .slice((first?.startLine ?? 0) - 1, first?.endLine)
        .join('\n'),
    ).toContain(first?.snippet.trim() ?? 'nothing');
    const paths = async (...filter: string[]) =>
      (await json<SearchAnswer>('search', 'token', ...filter)).results.map(({ path }) => path);
    expect(new Set(await paths('--lang', 'Python'))).toEqual(new Set(['tool.py']));
    expect(new Set(await paths('--repo', 'acme/tools'))).toEqual(new Set(['tool.py']));
    expect(new Set(await paths('--path', 'src/**/*.ts'))).toEqual(new Set(['src/lanes.ts', 'src/receipt.ts']));
    expect(await paths('--lang', 'py')).toEqual(['tool.py']);
    expect(await paths('--limit', '1')).toHaveLength(1);
    const found = await paths();
    expect(new Set(found).size, 'a file is found once').toBe(found.length);
    const shown = await longhaulProcess(env, ['search', 'parseToken']);
    expect(shown.stdout).toMatch(/local\/acme\/tools\/tool\.py:\d+/);
    expect(shown.stdout).not.toContain('\u001b[');
  });

  test('ranks the definition of a name first, and explains the score', async () => {
    const { results } = await json<SearchAnswer>('search', 'createLanes', '--explain');
    const plain = await json<SearchAnswer>('search', 'xorIds', '--no-rescore', '--explain');
    expect(plain.results[0]).toMatchObject({ path: 'src/receipt.ts', explain: { meaning: null, diversity: 1 } });
    expect(plain.results[0]?.explain?.definition).toBeGreaterThan(0);
    expect(plain.results[0]?.symbols).toContain('xorIds');
    expect(results[0]?.explain?.meaning).toEqual(expect.any(Number));
    const keys = ['commit', 'endLine', 'language', 'path', 'repo', 'score', 'snippet', 'startLine', 'symbols'];
    const [unexplained] = (await json<SearchAnswer>('search', 'xorIds')).results;
    expect(Object.keys(unexplained ?? {}).toSorted()).toEqual(keys);
  });

  test('reports unknown filters of a query', async () => {
    const refused = async (...args: string[]) => {
      const { exitCode, stderr } = await longhaul(env, ['search', 'token', ...args]);
      expect(exitCode).toBe(2);
      return stderr;
    };
    expect(await refused('--repo', 'nobody/*')).toContain('No indexed repository matches nobody/*');
    expect(await refused('--lang', 'pyton')).toContain('did you mean Python?');
    expect(await refused('--lang', 'Haskell')).toMatch(/written in Haskell: there is .*Python, TypeScript/);
  });

  test('highlights the words of the query only on a terminal', async () => {
    const { screen } = await longhaulOnTerminal({ ...env, NO_COLOR: '' }, ['search', 'parseToken'], NO_QUESTION);
    expect(screen).toContain('\u001b[33mparse_token\u001b[39m');
  });

  test('syncs, and follows a flow that was started with --no-wait', async () => {
    await estate.commit('acme/tools', { 'tool.py': 'def parse_token(text):\n    return text.strip()\n' });
    const { workflowId } = await json<{ workflowId: string }>('sync', '--all', '--no-wait');
    expect(await json('watch', workflowId)).toMatchObject({
      workflowId,
      matched: 2,
      succeeded: 1,
      skipped: 1,
      failed: 0,
    });
    const shown = await longhaul(env, ['sync', '--pattern', 'acme/*']);
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/skipped \(nothing to do\)\s+│ 2/);
  });

  test('builds another index in parallel, asks, switches to it, and back', async () => {
    const queries = join(estate.dataDir, '..', 'queries.yaml');
    await writeFile(queries, 'queries:\n  - query: parse token\n    expect: [tool.py]\n');
    type Listed = { digest: string; role: string; objects: number; settings: { model: { type: string } } }[];
    const [only, ...others] = await json<Listed>('index', 'builds');
    expect(others).toEqual([]);
    const kept = await longhaulOnTerminal(env, ['index', 'reembed', '--model', 'onnx', '--queries', queries], {
      question: '[y/N]: ',
      answer: 'n\n',
    });
    expect(kept.screen).toContain('NDCG@10 before / after: 1.000 / 1.000');
    expect(kept.screen).toContain(`Build ${only?.digest} stays live`);
    const switched = await json<{ to: string }>('index', 'reembed', '--model', 'onnx', '--queries', queries, '--yes');
    // the first time it was filled, the second time there was nothing left to do
    expect(switched).toMatchObject({ switched: true, objectsWritten: 0, comparison: { judged: 1 } });
    expect(await json('index', 'builds')).toMatchObject([
      { digest: switched.to, role: 'live', settings: { model: { type: 'onnx' } }, objects: only?.objects },
      { digest: only?.digest, role: 'previous', settings: { model: { type: 'static' } } },
    ]);
    expect((await json<SearchAnswer>('search', 'parseToken')).results[0]).toMatchObject({ path: 'tool.py' });
    expect(await json('index', 'rollback')).toMatchObject({ from: switched.to, to: only?.digest });
    expect((await longhaul(env, ['index', 'prune', '--previous'])).stdout).toBe(`Deleted: ${switched.to}.\n`);
    expect(await json('index', 'builds')).toMatchObject([{ digest: only?.digest, role: 'live' }]);

    const refused = async (...args: string[]) => (await longhaul(env, ['index', ...args])).stderr;
    expect(await refused('reembed')).toContain('--yes');
    expect(await refused('reembed', '--yes', '--model', 'gpt')).toContain('There is no model "gpt"');
    await writeFile(queries, 'queries:\n  - query: parse token\n    expects: [tool.py]\n');
    expect(await refused('reembed', '--yes', '--queries', queries)).toContain('unknown field "expects"');
    expect(await refused('rollback')).toContain('There is no previous build');
  });

  test('ingesting the output of diff makes the same objects', async () => {
    const { stdout, exitCode } = await longhaul(env, ['diff', 'local/acme/api']);
    expect(exitCode).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.at(-1)).toHaveProperty('new_changeset');
    const tools = await openEstate(estate);
    try {
      const before = await objectIdsOf(tools, 'local/acme/api');
      await json('index', 'remove', '--pattern', 'local/acme/api');
      expect(await objectIdsOf(tools, 'local/acme/api')).toEqual([]);
      const ingested = await longhaul(env, ['index', 'stdin', '--json'], stdout);
      expect(JSON.parse(ingested.stdout)).toMatchObject({ repositories: [{ repository: 'local/acme/api' }] });
      expect(await objectIdsOf(tools, 'local/acme/api')).toEqual(before);
    } finally {
      await tools.close();
    }
  });

  test('ingests the lines of other producers: adds, modifies, deletes', async () => {
    const first = [
      '{"repo":"ServiceA","op":"add","path":"config.json","content":"{\\"api\\": \\"v2\\"}","size":13,"mime":"application/json"}',
      `{"repo":"ServiceA","op":"modify","path":"src/auth.py","content_base64":"${Buffer.from('def auth():\n    pass\n').toString('base64')}","size":21,"mime":"text/x-python"}`,
      '{"repo":"ServiceA","op":"add","path":"logo.png","size":45678,"mime":"image/png","skip_index":true}',
      '{"repo":"ServiceA","new_changeset":{"commit":"abc123","branch":"main"}}',
    ].join('\n');
    const one = await longhaul(env, ['index', 'stdin', '--json'], first);
    expect(JSON.parse(one.stdout)).toMatchObject({
      repositories: [{ repository: 'stdin/stream/ServiceA', filesChanged: 3, objects: 2, skipped: { binary: 1 } }],
    });
    const second = [
      '{"repo":"ServiceA","op":"delete","path":"config.json"}',
      '{"repo":"ServiceA","new_changeset":{"commit":"def456","parent":"abc123","branch":"main"}}',
    ].join('\n');
    const two = await longhaul(env, ['index', 'stdin', '--json'], second);
    expect(JSON.parse(two.stdout)).toMatchObject({
      repositories: [{ objectsDeleted: 1, objects: 1, commit: 'def456' }],
    });

    const again = await longhaul(env, ['index', 'stdin', '--json'], second);
    expect(JSON.parse(again.stdout)).toMatchObject({ repositories: [{ objects: 1, commit: 'def456' }] });
    const elsewhere = await longhaul(
      env,
      ['index', 'stdin', '--json'],
      second.replace('abc123', 'fed123').replace('def456', 'aaa111'),
    );
    expect(elsewhere.exitCode).toBe(2);
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ error: { type: 'InvalidInput' } });

    const whole = [
      '{"repo":"ServiceA","op":"add","path":"only.py","content":"def only():\\n    pass\\n"}',
      '{"repo":"ServiceA","new_changeset":{"commit":"bbb222","parent":null,"branch":"main"}}',
    ].join('\n');
    const full = await longhaul(env, ['index', 'stdin', '--json'], whole);
    expect(JSON.parse(full.stdout)).toMatchObject({
      repositories: [{ objects: 1, objectsDeleted: 1, commit: 'bbb222' }],
    });
    expect(JSON.parse((await longhaul(env, ['sync', '--all', '--json'])).stdout)).toMatchObject({ failed: 0 });
    const device = '{"repo":"a","op":"add","path":"x","content_ref":"/dev/zero"}';
    expect(await longhaul(env, ['index', 'stdin'], device)).toMatchObject({ exitCode: 2 });
    const broken = await longhaul(env, ['index', 'stdin'], '{"repo":"a","op":"add","path":"x"\n');
    expect(broken).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Line 1') as string });
  });

  test.for([
    [['search', ''], {}, 2, /empty/],
    [['search', 'x', '--limit', '0'], {}, 2, /1 to 100/],
    [['index', 'add', '--pattern', 'a/b/c/d/e', '--yes'], {}, 2, /pattern/],
    [['index', 'add', '--yes'], {}, 2, /--pattern/],
    [['sync'], {}, 2, /Give one of --all, --due, --group and --pattern/],
    [['diff', 'local/acme/none'], {}, 6, /local\/acme\/none/],
    [['diff', 'nowhere/acme/api'], {}, 6, /provider/],
    [['diff', 'local/acme/api', '--since', '--output=/tmp/x'], {}, 2, /./],
    [['no-such-command'], {}, 2, /no-such-command/],
    [['watch', 'no-such-run'], {}, 2, /no such run/i],
    [['worker', '--roles', 'bogus'], {}, 2, /no role/],
    [['worker', '--metrics-address', 'nonsense'], {}, 2, /^longhaul: --metrics-address: give host:port, [^{]*$/],
    [['index', 'stdin', '--file', '/tmp'], {}, 2, /no file/],
    [['search', 'x'], { WEAVIATE_API_KEY: 'wrong' }, 5, /refused the API key/],
    [['search', 'x'], { WEAVIATE_URL: 'http://127.0.0.1:1', WEAVIATE_GRPC: '127.0.0.1:1' }, 4, /does not answer/],
    [['sync', '--all'], { TEMPORAL_ADDRESS: '127.0.0.1:1' }, 4, /does not answer/],
    [['sync', '--all'], { TEMPORAL_ADDRESS: undefined }, 4, /longhaul up/],
    [['index', 'list'], { LONGHAUL_CONFIG: '/none.yaml' }, 2, /no such file/],
    [
      ['index', 'list'],
      { WEAVIATE_URL: 'http://user:sesame@127.0.0.1:9' },
      3,
      /WEAVIATE_URL contains a user or password/,
    ],
  ] as const)('%j fails with a code and one sentence', async ([args, change, code, message]) => {
    const { exitCode, stderr, stdout } = await longhaul(commandEnv(estate, change), args);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('logs the documented events, one JSON object per line', () => {
    const events = worker
      .log()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const event of events) {
      expect(event).toMatchObject({ level: expect.any(String) as string, timestamp: expect.any(String) as string });
    }
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'sync_group_start', group: 'acme/*', repo_count: 2 }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        level: 'info',
        event: 'sync_repo_success',
        repo: 'acme/api',
        files_changed: 3,
        duration_ms: expect.any(Number) as number,
      }),
    );
  });
});
