import { parseArgs } from 'node:util';
import type { Benchmark } from './harness.ts';

const USAGE = `npm run bench [-- options]

  --only NAME   one benchmark; may be repeated
  --runs N      measured runs of each (default 5)
  --json FILE   also write the results to a file`;

/** Every benchmark, by its name on the command line. */
export const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  deltas: async () => (await import('./deltas.ts')).deltas,
  onboarding: async () => (await import('./onboarding.ts')).onboarding,
  retrieval: async () => (await import('./retrieval.ts')).retrieval,
  'search-latency': async () => (await import('./search-latency.ts')).searchLatency,
  memory: async () => (await import('./memory.ts')).memory,
  parallel: async () => (await import('./parallel.ts')).parallelOnboarding,
  fleet: async () => (await import('./fleet.ts')).fleet,
  histories: async () => (await import('./histories.ts')).histories,
  install: async () => (await import('./install.ts')).install,
  planning: async () => (await import('./planning.ts')).planning,
  console: async () => (await import('./console.ts')).consolePages,
  audit: async () => (await import('./audit.ts')).audit,
  pipelines: async () => (await import('./pipelines.ts')).pipelines,
  deploy: async () => (await import('./deploy.ts')).deploy,
  release: async () => (await import('./release.ts')).generationShow,
  'workspace-planning': async () => (await import('./workspace-planning.ts')).workspacePlanning,
  'workspace-apply': async () => (await import('./workspace-apply.ts')).workspaceApply,
  'quiet-sync': async () => (await import('./quiet-sync.ts')).quietSync,
};

/** The options of `npm run bench`, or the reason why they are invalid. */
export function readOptions(
  argv: readonly string[],
): { names: string[]; runs: number; json: string | undefined } | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string', multiple: true },
        runs: { type: 'string', default: '5' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const names = values.only ?? Object.keys(BENCHMARKS);
    const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
    const runs = Number(values.runs);
    if (values.help === true) return USAGE;
    if (unknown.length > 0)
      return `There is no benchmark ${unknown.join(', ')}; available: ${Object.keys(BENCHMARKS).join(', ')}.`;
    if (!Number.isInteger(runs) || runs < 1) return `--runs must be a whole number from 1, not ${values.runs}.`;
    return { names, runs, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`;
  }
}
