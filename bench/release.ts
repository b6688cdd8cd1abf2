import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { ledgerLogins } from '../activities/ledger/logins.ts';
import { migrateLedger } from '../activities/ledger/migrate.ts';
import { mustEqual, timed } from './harness.ts';
import type { BenchContext, Benchmark, Figure } from './harness.ts';
import { CHANGES, EVOLUTIONS, fillLedger } from './ledger-rows.ts';
import { startServers } from './servers.ts';

/** A command of the built package that reads a large generation, from the start of the process to its end. */
export const generationShow: Benchmark = {
  about: `longhaul generation show with ${CHANGES} changes and ${EVOLUTIONS} evolutions − longhaul --version`,
  measure,
};

async function measure(context: BenchContext): Promise<Figure[]> {
  const { dir, signal, runs, note } = context;
  note('building the package');
  await execa(process.execPath, ['scripts/build.mjs'], { cancelSignal: signal });
  const stack = await startServers(context, ['postgres']);
  try {
    const logins = ledgerLogins(stack.postgres.url, {});
    await migrateLedger(logins, { actor: 'bench' });
    await fillLedger(logins.owner);
    const config = join(dir, 'longhaul.yaml');
    await writeFile(config, '{}');
    const env = {
      PATH: process.env['PATH'],
      HOME: dir,
      LONGHAUL_DATA_DIR: dir,
      LONGHAUL_CACHE_DIR: dir,
      DATABASE_READER_URL: logins.reader,
    };
    const longhaul = async (...args: string[]): Promise<{ readonly ms: number; readonly lines: number }> => {
      const { seconds, result } = await timed(() =>
        execa(process.execPath, [join('dist', 'client', 'bin.js'), ...args], {
          env,
          extendEnv: false,
          cancelSignal: signal,
        }),
      );
      return { ms: seconds * 1_000, lines: result.stdout.split('\n').length };
    };
    const show = ['--config', config, 'generation', 'show', 'v1.5.0', '--repo', 'work/acme/api'];
    const values = { show: [] as number[], version: [] as number[] };
    // the first runs compile the modules, which Node caches
    for (let run = -1; run < runs; run++) {
      const version = await longhaul('--version');
      const shown = await longhaul(...show);
      mustEqual('every change is shown', shown.lines > CHANGES, true);
      if (run < 0) continue;
      values.version.push(version.ms);
      values.show.push(shown.ms - version.ms);
    }
    return [
      { what: 'generation show − longhaul --version', unit: 'ms', values: values.show, bar: '≤ 300' },
      { what: '  longhaul --version', unit: 'ms', values: values.version },
    ];
  } finally {
    await stack.stop();
  }
}
