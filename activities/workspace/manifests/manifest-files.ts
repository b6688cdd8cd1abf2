import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type {
  ManifestDiagnostic,
  ManifestDiagnosticKind,
  PackageManifest,
} from '../../../domain/workspace/package-manifest.ts';
import { hasCode } from '../../../platform/error-code.ts';
import { openUntrusted } from '../../../platform/untrusted-file.ts';
import { LARGEST_MANIFEST, MOST_BYTES, MOST_PYTHON_REQUIREMENTS } from './limits.ts';

/** A package as a manifest declares it. */
export type DeclaredPackage = Omit<PackageManifest, 'sha256'>;

/** The tracked manifests of a repository, and what was noticed in them. */
export interface ManifestFiles {
  /** Paths relative to the repository. */
  readonly paths: ReadonlySet<string>;
  /**
   * The text of a tracked file, with the byte order mark that it may begin with; null when it cannot be read, which is
   * reported. Each file is read once.
   */
  read(path: string): Promise<string | null>;
  /** How many requirements of Python may still be parsed. */
  pythonRequirementsLeft: number;
  /** Adds a diagnostic; `line` null is the whole file. */
  report(kind: ManifestDiagnosticKind, file: string, line: number | null, message: string): void;
}

/** Manifests below `folder`, which is a real path; diagnostics are added to `diagnostics`. An abort ends the reading. */
export function openManifestFiles(
  folder: string,
  paths: ReadonlySet<string>,
  diagnostics: ManifestDiagnostic[],
  signal?: AbortSignal,
): ManifestFiles {
  let bytes = 0;
  const texts = new Map<string, Promise<string | null>>();
  const report: ManifestFiles['report'] = (kind, file, line, message) => {
    diagnostics.push({ kind, file, line, message });
  };

  async function read(path: string): Promise<string | null> {
    signal?.throwIfAborted();
    const content = await contentOf(folder, path);
    if (Buffer.isBuffer(content)) {
      bytes += content.length;
      if (bytes > MOST_BYTES) {
        const message = `The manifests of the repository have more than ${MOST_BYTES} bytes: this one is not read.`;
        report('too_large', path, null, message);
        return null;
      }
    }
    if (typeof content === 'string') {
      report(content, path, null, WHY[content]);
      return null;
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
    } catch {
      report('not_text', path, null, WHY.not_text);
      return null;
    }
  }

  return {
    paths,
    report,
    pythonRequirementsLeft: MOST_PYTHON_REQUIREMENTS,
    read(path) {
      let text = texts.get(path);
      if (text === undefined) texts.set(path, (text = read(path)));
      return text;
    },
  };
}

const WHY = {
  missing: 'Git tracks this file, but the work tree does not have it.',
  outside: 'This is a link that leaves the repository, or no regular file: it is not read.',
  too_large: `This file is larger than ${LARGEST_MANIFEST} bytes: it is not read.`,
  not_text: 'This file is not valid UTF-8: it is not read.',
} as const;

async function contentOf(folder: string, path: string): Promise<Buffer | 'missing' | 'outside' | 'too_large'> {
  let real;
  try {
    real = await realpath(join(folder, path));
  } catch (error) {
    if (hasCode(error, 'ELOOP')) return 'outside';
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'missing';
    throw error;
  }
  const isInside = real.startsWith(folder + sep) && !real.startsWith(join(folder, '.git') + sep);
  const file = isInside ? await openUntrusted(real) : null;
  if (file === null) return 'outside';
  try {
    const { size } = await file.stat();
    if (size > LARGEST_MANIFEST) return 'too_large';
    // one byte more than allowed: it may grow meanwhile
    const content = Buffer.alloc(LARGEST_MANIFEST + 1 < size + 4_096 ? LARGEST_MANIFEST + 1 : size + 4_096);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(content, length, content.length - length, length);
      if (bytesRead === 0) return content.subarray(0, length);
      length += bytesRead;
      if (length === content.length) return 'too_large';
    }
  } finally {
    await file.close();
  }
}
