import { Readable } from 'node:stream';
import { text as allText } from 'node:stream/consumers';
import {
  type CoveredFile,
  type JobReports,
  REPORT_KINDS,
  type ReportedFinding,
  type ReportedTest,
  type ReportKind,
} from '../../../domain/release/quality/report.ts';
import { redact } from '../../../domain/shared/redact.ts';
import { messageOf } from '../../../platform/error-code.ts';
import type { BlobStore } from '../../blobs/blob-store.ts';
import { findFiles, openFound } from '../pipelines/file-archive.ts';
import { readJson } from '../pipelines/stored-plan.ts';
import { parseCobertura, parseGoCover, parseLcov } from './coverage.ts';
import { parseJUnit } from './junit.ts';
import { parseSarif } from './sarif.schema.ts';

/** Paths and patterns of the files of each kind. */
export type DeclaredReports = { readonly [Kind in ReportKind]?: readonly string[] | undefined };

/** What the reports of a job say, and what is wrong with them. */
export interface ReadReports {
  readonly reports: JobReports;
  /** A sentence for each file that is missing, empty or of another format. */
  readonly problems: readonly string[];
}

/** A larger file is refused. */
const MOST_BYTES = 100_000_000;
/** The most tests, files or findings of a job: each becomes a row. */
const MOST_ROWS = 100_000;

type Parsed = Partial<
  Record<'tests' | 'coverage' | 'findings', readonly (ReportedTest | CoveredFile | ReportedFinding)[]>
>;

const PARSERS: { readonly [Kind in ReportKind]: (text: string) => Parsed } = {
  junit: (text) => ({ tests: parseJUnit(text) }),
  lcov: (text) => ({ coverage: parseLcov(text) }),
  cobertura: (text) => ({ coverage: parseCobertura(text) }),
  gocover: (text) => ({ coverage: parseGoCover(text) }),
  sarif: (text) => ({ findings: parseSarif(text) }),
};

/**
 * Reads the reports that a job wrote into its work tree, in which no program runs any more. `seenAs` is the path of the
 * work tree for its programs. Texts are redacted.
 */
export async function readReports(folder: string, seenAs: string, declared: DeclaredReports): Promise<ReadReports> {
  const problems: string[] = [];
  const kinds: ReportKind[] = [];
  const all = { tests: [] as ReportedTest[], coverage: [] as CoveredFile[], findings: [] as ReportedFinding[] };
  for (const kind of REPORT_KINDS) {
    const patterns = declared[kind];
    if (patterns === undefined) continue;
    const files = (await findFiles(folder, patterns)).filter(({ isLink }) => !isLink);
    if (files.length === 0) problems.push(`reports: no file matches ${patterns.join(', ')} (${kind})`);
    for (const file of files) {
      try {
        if (file.size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES} bytes`);
        const opened = await openFound(folder, file);
        const content = redact(await allText(opened.createReadStream()));
        const { tests = [], coverage = [], findings = [] } = PARSERS[kind](content) as Partial<typeof all>;
        if (kind !== 'sarif' && tests.length + coverage.length === 0) throw new Error('it is empty');
        all.tests.push(...tests);
        all.coverage.push(...coverage.map((one) => ({ ...one, path: relative(one.path, seenAs) })));
        all.findings.push(...findings.map((one) => ({ ...one, path: one.path && relative(one.path, seenAs) })));
        if (!kinds.includes(kind)) kinds.push(kind);
      } catch (error) {
        problems.push(`reports: ${file.path} (${kind}): ${messageOf(error).split('\n')[0] ?? ''}`);
      }
    }
  }
  const rows = Math.max(all.tests.length, all.coverage.length, all.findings.length);
  if (rows > MOST_ROWS) problems.push(`reports: more than ${MOST_ROWS} tests, files or findings`);
  return { reports: rows > MOST_ROWS ? NOTHING : { ...all, kinds }, problems };
}

const NOTHING: JobReports = { tests: [], coverage: [], findings: [], kinds: [] };

function relative(path: string, seenAs: string): string {
  const plain = path.replace(/^file:\/\//, '');
  return plain.startsWith(`${seenAs}/`) ? plain.slice(seenAs.length + 1) : plain.replace(/^\.\//, '');
}

/** Stores the reports of a job. Returns the digest. */
export async function storeReports(blobs: BlobStore, reports: JobReports): Promise<string> {
  const { digest } = await blobs.put(Readable.from([Buffer.from(JSON.stringify(reports))]));
  return digest;
}

/** Reads stored reports. Throws `BlobNotFound`. */
export async function openReports(blobs: BlobStore, digest: string): Promise<JobReports> {
  return (await readJson(blobs, digest)) as JobReports;
}
