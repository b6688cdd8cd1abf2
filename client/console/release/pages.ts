import { Readable } from 'node:stream';
import { createReused } from '../../../activities/shared/reused.ts';
import { type ConsolePage, type ConsolePart, type ConsoleSources, pageNumber } from '../page.ts';
import {
  readDeployment,
  readDeployments,
  readDifference,
} from '../../../activities/release/deployment/read-deployments.ts';
import type { LedgerDatabase } from '../../../activities/ledger/open-ledger.ts';
import type { DeploymentView } from '../../../domain/release/deployment/describe.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { deploymentContent, deploymentReport, deploymentsContent } from './deployments.ts';
import { generationContent, generationsContent, type ListPart } from './generations.ts';
import { readLogTail } from './log-tail.ts';
import { logContent, pipelineRunContent, pipelineRunsContent } from './pipeline-runs.ts';
import {
  type JobRow,
  type PipelineRunRow,
  readChanges,
  readEvolutions,
  readGenerationRow,
  readGenerations,
  readJobs,
  readPipelineRun,
  readPipelineRuns,
  type Rows,
} from './read-releases.ts';

/** Rows of a list on a page. */
const ROWS = 100;
/** Bytes of a log on its page. */
const LOG_BYTES = 256 * 1024;

/** The pages of releases: generations with their evolutions, runs of pipelines with their logs, and deployments. */
export function releasePages({ context, ledger }: ConsoleSources): ConsolePart {
  const blobs = createReused(async () => {
    const { openBlobs } = await import('../../../activities/blobs/open-blobs.ts');
    return openBlobs(context, context.env);
  }, Number.POSITIVE_INFINITY);

  const list: ConsolePage = {
    path: '/releases',
    name: 'Releases',
    isLive: true,
    async render({ query }) {
      const repository = query.get('repository') || null;
      const part = await readPart(pageNumber(query), (rows) => ledger((db) => readGenerations(db, repository, rows)));
      return generationsContent(part, repository);
    },
  };
  const generation: ConsolePage = {
    path: '/releases/generations/:id',
    name: null,
    isLive: true,
    render: ({ params: { id = '' }, query }) =>
      ledger(async (db) => {
        const found = await readGenerationRow(db, id);
        if (found === null) return null;
        const [changes, evolutions] = await Promise.all([
          readPart(pageNumber(query, 'changes'), (rows) => readChanges(db, id, rows)),
          readPart(pageNumber(query, 'evolutions'), (rows) => readEvolutions(db, id, rows)),
        ]);
        return generationContent(found, changes, evolutions);
      }),
  };
  const runs: ConsolePage = {
    path: '/releases/runs',
    name: null,
    isLive: true,
    async render({ query }) {
      const repository = query.get('repository') || null;
      const part = await readPart(pageNumber(query), (rows) => ledger((db) => readPipelineRuns(db, repository, rows)));
      return pipelineRunsContent(part, repository);
    },
  };
  const run: ConsolePage = {
    path: '/releases/runs/:id',
    name: null,
    isLive: true,
    render: ({ params: { id = '' } }) =>
      ledger(async (db) => {
        const found = await readPipelineRun(db, id);
        return found && pipelineRunContent(found, await readJobs(db, id));
      }),
    async download({ params: { id = '' }, query }) {
      if (query.get('report') !== '1') return null;
      const [{ readRunResult }, { flakyTests }, { runReport }] = await Promise.all([
        import('../../../activities/release/pipelines/run-result.ts'),
        import('../../../activities/release/pipelines/flaky-tests.ts'),
        import('./run-report.ts'),
      ]);
      const store = await blobs.get();
      return ledger(async (db) => {
        const result = await readRunResult({ ledger: db, blobs: store }, id);
        if (result === null) return null;
        const report = runReport(result, await flakyTests(db, result));
        return { name: `run-${id}.html`, content: Readable.from([Buffer.from(report)]) };
      });
    },
  };

  async function logged(
    id: string,
    query: URLSearchParams,
  ): Promise<{ run: PipelineRunRow; job: JobRow; log: string } | null> {
    const attempt = pageNumber(query, 'attempt');
    return ledger(async (db) => {
      const found = await readPipelineRun(db, id);
      const [job] = await readJobs(db, id, { job: query.get('job') ?? '', attempt });
      return found === null || job === undefined || job.log === null ? null : { run: found, job, log: job.log };
    });
  }

  const log: ConsolePage = {
    path: '/releases/runs/:id/log',
    name: null,
    async render({ params: { id = '' }, query }) {
      const found = await logged(id, query);
      if (found === null) return null;
      const content = await (await blobs.get()).open(found.log);
      return logContent(found.run, found.job, await readLogTail(content, LOG_BYTES));
    },
    async download({ params: { id = '' }, query }) {
      if (query.get('whole') !== '1') return null;
      const found = await logged(id, query);
      return found && { name: `${found.log.slice(0, 12)}.log`, content: await (await blobs.get()).open(found.log) };
    },
  };
  const deployments: ConsolePage = {
    path: '/releases/deployments',
    name: null,
    isLive: true,
    async render({ query }) {
      const repository = query.get('repository') || null;
      const part = await readPart(pageNumber(query), ({ from, most }) =>
        ledger((db) => readDeployments(db, { repository, from, limit: most })),
      );
      return deploymentsContent(part, repository);
    },
  };
  const deployment: ConsolePage = {
    path: '/releases/deployments/:id',
    name: null,
    isLive: true,
    render: ({ params: { id = '' } }) =>
      ledger(async (db) => {
        const found = await deploymentOf(db, id);
        return found && deploymentContent(found);
      }),
    async download({ params: { id = '' }, query }) {
      if (query.get('report') !== '1') return null;
      const found = await ledger((db) => deploymentOf(db, id));
      if (found === null) return null;
      const diff = found.diff === null ? null : await readDifference(await blobs.get(), found.diff);
      const report = deploymentReport(found, diff);
      return { name: `deployment-${found.id}.html`, content: Readable.from([Buffer.from(report)]) };
    },
  };
  return { pages: [list, generation, runs, run, log, deployments, deployment], close: () => Promise.resolve() };
}

/** Reads a page of a list, and whether there is another. */
async function readPart<Row>(page: number, read: (rows: Rows) => Promise<Row[]>): Promise<ListPart<Row>> {
  const rows = await read({ from: (page - 1) * ROWS, most: ROWS + 1 });
  return { rows: rows.slice(0, ROWS), page, hasMore: rows.length > ROWS };
}

/** A deployment; null when the ledger has none, or several that begin so. */
async function deploymentOf(db: LedgerDatabase, id: string): Promise<DeploymentView | null> {
  try {
    return await readDeployment(db, id);
  } catch (error) {
    if (error instanceof LonghaulError) return null;
    throw error;
  }
}
