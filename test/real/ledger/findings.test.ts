import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBlobStore, type BlobStore } from '../../../activities/blobs/blob-store.ts';
import { createFolderObjects } from '../../../activities/blobs/folder-objects.ts';
import { type LedgerDatabase, openLedger } from '../../../activities/ledger/open-ledger.ts';
import type { Mgit } from '../../../activities/mgit/index.ts';
import { findBaselines } from '../../../activities/release/pipelines/baseline.ts';
import { chooseBaseline } from '../../../activities/release/pipelines/place-commit.ts';
import { recordRun } from '../../../activities/release/pipelines/record-run.ts';
import { judgeReports } from '../../../activities/release/pipelines/run-reports.ts';
import { storePlan } from '../../../activities/release/pipelines/stored-plan.ts';
import { storeReports } from '../../../activities/release/reports/read-reports.ts';
import { parseSarif } from '../../../activities/release/reports/sarif.schema.ts';
import { pipelineFile } from '../../../domain/release/contracts/pipeline.schema.ts';
import { planRun } from '../../../domain/release/pipelines/plan.ts';
import type { RuleResult } from '../../../domain/release/quality/judge.ts';
import type { JobReports } from '../../../domain/release/quality/report.ts';
import { createTestLedger, type TestLedger } from '../../support/ledger.ts';
import { openMgit } from '../../support/mgit.ts';
import { git, initRepository } from '../../support/scratch-git.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const REPOSITORY = 'disk/acme/api';
const WAIVER = {
  rule: 'findings',
  matching: '*debugger*',
  until: '2026-12-31',
  approved_by: 'grace',
  why: 'next week',
};

let folder: string;
let clone: string;
let own: TestLedger;
let ledger: LedgerDatabase;
let blobs: BlobStore;
let mgit: Mgit;
let runs = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'longhaul-findings-'));
  const remote = initRepository(join(folder, 'root', 'acme', 'api.git'), '--bare');
  // the default branch is what the remote says, not a name that is usual
  git(remote, 'symbolic-ref', 'HEAD', 'refs/heads/trunk');
  clone = join(folder, 'clone');
  git(folder, 'clone', '--quiet', remote, clone);
  blobs = createBlobStore(createFolderObjects(join(folder, 'blobs')), join(folder, 'making'));
  mgit = openMgit(join(folder, 'cache'), [{ name: 'disk', type: 'local', root: join(folder, 'root') }]);
  own = await createTestLedger();
  ledger = openLedger(own.logins.writer, { connections: 2 });
});
afterAll(async () => {
  await ledger.destroy();
  await own.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Commits a file, and pushes it to a branch of the remote if there is one. */
function commit(code: string, branch: string | null): string {
  writeFileSync(join(clone, 'code.js'), code);
  git(clone, 'add', '--all');
  git(clone, 'commit', '--quiet', '--allow-empty', '-m', 'a commit');
  if (branch !== null) git(clone, 'push', '--quiet', '--force', 'origin', `HEAD:refs/heads/${branch}`);
  return git(clone, 'rev-parse', 'HEAD');
}

/** What oxlint says about the file, as it writes it. */
function linted(): JobReports {
  mkdirSync(join(folder, 'lint'), { recursive: true });
  const configuration = join(folder, 'lint', 'oxlint.json');
  writeFileSync(configuration, '{"rules": {"no-debugger": "error", "no-self-compare": "error"}}');
  const args = [join(root, 'node_modules/oxlint/bin/oxlint'), '-c', configuration, '--format=sarif', 'code.js'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: clone, encoding: 'utf8' });
  return { tests: [], coverage: [], kinds: ['sarif'], findings: parseSarif(stdout) };
}

/** Judges and records a run at a commit, as the flow does. Returns the rule for findings. */
async function run(
  at: string,
  {
    day = '2026-12-01',
    quality = {},
    findings = {},
    reports = linted(),
    branch = null,
    pipeline: name,
  }: {
    readonly day?: string;
    readonly quality?: object;
    readonly findings?: object;
    readonly reports?: JobReports | null;
    /** As the caller names it. */
    readonly branch?: string | null;
    readonly pipeline: string;
  },
): Promise<RuleResult | undefined> {
  const pipeline = pipelineFile.parse({
    name,
    quality: { findings: { none_new: 'error', ...findings }, ...quality },
    steps: [{ name: 'lint', command: 'lint' }],
  });
  const id = `run-${++runs}`;
  const plan = await storePlan(blobs, {
    plan: planRun(pipeline, { event: 'manual', branch, hasChanged: () => true }),
    pipeline,
  });
  const digest = reports === null ? null : await storeReports(blobs, reports);
  const asked = { repository: REPOSITORY, pipeline: name };
  const baseline = await chooseBaseline(
    mgit,
    {
      ...asked,
      branch: pipeline.quality?.findings?.compared_with ?? null,
      commit: at,
      commits: await findBaselines(ledger, asked),
    },
    new AbortController().signal,
  );
  const tools = {
    ledger,
    blobs,
    url: own.logins.writer,
    hasPeople: false,
    announce: [],
    cancelledBy: () => Promise.resolve(null),
  };
  const judged = await judgeReports(tools, { ...asked, plan, baseline, reports: digest === null ? [] : [digest], day });
  const [rule] = judged.rules;
  const summary = digest === null ? null : { digest, tests: 0, failed: 0, coverage: null, findings: 1 };
  await recordRun(
    tools,
    {
      ...asked,
      run: id,
      status: rule?.status === 'failed' ? 'failed' : 'passed',
      commit: at,
      tree: at,
      plan,
      sandbox: 'none',
      jobs: [
        {
          id: 'job',
          end: 'passed',
          why: null,
          attempts: 1,
          earlier: [],
          startedAt: `${day}T00:00:00Z`,
          resumedFrom: null,
          log: null,
          steps: [],
          outputs: {},
          artifacts: null,
          reports: summary,
          durationMs: 1,
        },
      ],
      quality: judged,
      branch,
      event: 'manual',
      startedAt: `${day}T00:00:00Z`,
      by: 'ada',
    },
    { workflowId: id, who: { actor: 'ada', authenticated_by: 'unauthenticated' } },
  );
  return rule;
}

const CLEAN = 'export const a = 1;\n';
const OLD = 'export const a = 1;\nif (a === a) console.log(a);\n';
const NEW = `${OLD}debugger;\n`;

test('a finding that a waiver lets pass does not become known: it is waived until the end, and then new', async () => {
  const waived = { pipeline: 'waived', quality: { waivers: [WAIVER] } };
  const at = commit(OLD, 'trunk');
  expect(await run(at, waived)).toMatchObject({ status: 'passed' });
  const worse = commit(NEW, 'trunk');
  const found = '2 findings of level error or worse, 0 of them new, 1 waived';
  expect(await run(worse, waived)).toMatchObject({ status: 'passed', found });
  // the next run, also at a later commit, says so again
  const later = commit(`${NEW}export const b = 2;\n`, 'trunk');
  expect(await run(later, { ...waived, day: '2026-12-31' })).toMatchObject({ status: 'passed', found });
  expect(await run(later, { ...waived, day: '2027-01-01' })).toMatchObject({
    status: 'failed',
    found: '2 findings of level error or worse, 1 of them new',
    examples: [expect.stringContaining('debugger')],
  });
  // a waiver of the whole rule does not make them known either
  const whole = { pipeline: 'waived', quality: { waivers: [{ ...WAIVER, matching: undefined }] } };
  expect(await run(later, whole)).toMatchObject({ status: 'waived' });
  expect(await run(later, { pipeline: 'waived' })).toMatchObject({ status: 'failed' });
  expect(
    await own.sql(
      `SELECT r.pipeline_run_id AS run, f.rule LIKE '%debugger%' AS waivable, f.is_waived AS waived FROM findings f
       JOIN pipeline_runs r USING (pipeline_run_id) WHERE r.pipeline = 'waived' AND r.status = 'pass' AND f.is_waived`,
    ),
  ).toEqual([
    { run: 'run-2', waivable: true, waived: true },
    { run: 'run-3', waivable: true, waived: true },
  ]);
});

test('findings are known from commits that the branch has on the remote, whatever branch the caller names', async () => {
  const known = { pipeline: 'known' };
  const elsewhere = commit(NEW, 'feature');
  // it names the default branch, and is not on it: nothing is known, and it does not begin there
  expect(await run(elsewhere, { ...known, branch: 'trunk' })).toMatchObject({
    status: 'failed',
    found: expect.stringContaining('nothing to compare with'),
  });
  const clean = commit(CLEAN, 'trunk');
  expect(await run(clean, known)).toMatchObject({ status: 'passed' });
  const worse = commit(OLD, 'feature');
  expect(await run(worse, { ...known, branch: 'trunk' })).toMatchObject({ status: 'failed' });
  // even if it had passed, its commit is not on the branch; where it is, its findings are known
  await own.sql("UPDATE pipeline_runs SET status = 'pass' WHERE pipeline = 'known' AND commit = $1", [worse]);
  await own.sql(
    "UPDATE quality_results SET status = 'pass' WHERE pipeline_run_id IN (SELECT pipeline_run_id FROM pipeline_runs WHERE pipeline = 'known' AND status = 'pass')",
  );
  expect(await run(worse, { ...known, branch: 'trunk' })).toMatchObject({ status: 'failed' });
  expect(await run(worse, { ...known, findings: { compared_with: 'feature' } })).toMatchObject({ status: 'passed' });
  git(clone, 'push', '--quiet', 'origin', `${worse}:refs/heads/trunk`);
  expect(await run(worse, known)).toMatchObject({ status: 'passed' });
});

test('a passed run without a report of findings leaves those known that were', async () => {
  const known = { pipeline: 'kept' };
  const at = commit(OLD, 'trunk');
  expect(await run(at, known)).toMatchObject({ status: 'passed' });
  // the job that lints was skipped, and a waiver lets the rule pass
  const silent = commit(OLD, 'trunk');
  const whole = { waivers: [{ ...WAIVER, matching: undefined }] };
  expect(await run(silent, { ...known, reports: null, quality: whole })).toMatchObject({
    status: 'waived',
    found: 'no report of findings',
  });
  // and another run of the pipeline, when it had no rule for findings
  await own.sql(`INSERT INTO pipeline_runs (pipeline_run_id, repository, pipeline, pipeline_digest, commit, tree, branch, event,
    status, created_by, completed_at) VALUES ('without', '${REPOSITORY}', 'kept', '', '${silent}', '', 'trunk', 'manual', 'pass', 'ada', now())`);
  const later = commit(OLD, 'trunk');
  expect(await run(later, known)).toMatchObject({
    status: 'passed',
    found: '1 findings of level error or worse, 0 of them new',
  });
});
