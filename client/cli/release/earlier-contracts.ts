import { generationPaths } from '../../../domain/release/contracts/version.ts';
import { runProgram } from '../../../platform/program.ts';
import { sha256 } from '../../../platform/sha256.ts';
import type { CliContext } from '../../core/context.ts';

/** Versions of a file that are looked at: the newest. */
const MOST = 100;

/**
 * SHA-256 of the versions of a generation's file in the history of a revision of the working folder, the newest first: the
 * contracts that the one of the folder was made from. A shallow clone has only some of them.
 */
export async function earlierContracts(
  { env }: CliContext,
  version: string,
  revision: string,
): Promise<readonly string[]> {
  const git = async (...args: string[]): Promise<string> => {
    const { code, stdout } = await runProgram('git', args, { env });
    return code === 0 ? stdout : '';
  };
  const paths = ['.longhaul', '.gryt'].flatMap((folder) =>
    generationPaths(version).map((path) => `:(top)${folder}/${path}`),
  );
  const raw = await git('log', '--format=', '--raw', '--no-abbrev', '--no-renames', revision, '--', ...paths);
  const blobs = [...raw.matchAll(/^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) [AMT]/gm)].map(([, oid = '']) => oid);
  const texts = await Promise.all([...new Set(blobs)].slice(0, MOST).map((oid) => git('cat-file', 'blob', oid)));
  return texts.filter((text) => text !== '').map((text) => sha256(text));
}
