import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { execa } from 'execa';
import type { BenchContext, Benchmark, Figure } from './harness.ts';

/** Packages that the results name: the largest ones. */
const NAMED = 10;
const MB = 1e6;
/** The unit of `stat`'s blocks, in bytes. */
const BLOCK = 512;

/**
 * Packs the package as for publishing and installs it into an empty folder, with and without optional dependencies.
 * Install scripts do not run, because files that they fetch are not part of the packages. `LONGHAUL_BENCH_TARBALL` is a
 * packed package to measure instead.
 */
export const install: Benchmark = {
  about: 'the size on disk of `npm install longhaul`, whole and by package',
  async measure(context) {
    const tarball = process.env['LONGHAUL_BENCH_TARBALL'] ?? (await packed(context));
    const whole = await installed(join(context.dir, 'whole'), tarball, { ...context, flags: [] });
    const small = await installed(join(context.dir, 'small'), tarball, { ...context, flags: ['--omit=optional'] });
    const largest = [...whole].sort(([, a], [, b]) => b - a).slice(0, NAMED);
    return [
      figure('npm install longhaul', 'MB', total(whole)),
      figure('packages', 'count', whole.size),
      figure('npm install longhaul --omit=optional', 'MB', total(small)),
      ...largest.map(([name, bytes]) => figure(`  ${name}`, 'MB', bytes)),
    ];
  },
};

function figure(what: string, unit: 'MB' | 'count', value: number): Figure {
  return { what, unit, values: [unit === 'MB' ? Math.round((value / MB) * 10) / 10 : value] };
}

async function packed({ dir, signal, note }: BenchContext): Promise<string> {
  note('building and packing');
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', dir], {
    cancelSignal: signal,
  });
  const file = /longhaul-[^"/]*\.tgz/.exec(stdout)?.[0];
  if (file === undefined) throw new Error(`npm pack printed no file name: ${stdout.slice(-300)}`);
  return join(dir, file);
}

/** Installs the archive into a new folder and returns the bytes of each package, by its path below `node_modules`. */
async function installed(
  folder: string,
  tarball: string,
  { flags, signal, note }: { readonly flags: readonly string[] } & Pick<BenchContext, 'signal' | 'note'>,
): Promise<Map<string, number>> {
  note(`npm install ${flags.join(' ')}`);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'installed', private: true }));
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await execa('npm', ['install', '--omit=dev', ...flags, ...quiet, tarball], {
    cwd: folder,
    cancelSignal: signal,
  });
  return sizesIn(join(folder, 'node_modules'));
}

/** The disk space of each package's own files in bytes; nested packages are counted separately. */
async function sizesIn(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const name = packageOf(relative(folder, file));
    const { blocks } = await lstat(file);
    sizes.set(name, (sizes.get(name) ?? 0) + blocks * BLOCK);
  }
  return sizes;
}

function total(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** `a/node_modules/@b/c/index.js` belongs to `a/node_modules/@b/c`. */
function packageOf(path: string): string {
  const parts = path.split(sep);
  const at = parts.lastIndexOf('node_modules') + 1;
  return parts.slice(0, at + (parts[at]?.startsWith('@') === true ? 2 : 1)).join('/');
}
