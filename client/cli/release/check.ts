import { readContractFolder } from '../../../activities/release/contracts/contract-folder.ts';
import { checkContracts } from '../../../activities/release/contracts/contracts.ts';
import { FAILURES } from '../../../domain/shared/failures.ts';
import type { CliIo } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';

/**
 * `longhaul release check`: all problems of the contracts in a working folder, one a line, and the jobs
 * that deploy, which are valid but cannot run. Contacts nothing and needs no configuration, so it can be used in hooks and
 * CI jobs. Exit code 2 when there is a problem.
 */
export async function checkCommand(root: string, { json }: { json?: boolean }, io: CliIo): Promise<number> {
  const folder = await readContractFolder(root);
  const { contracts, emptySteps, ...checked } = checkContracts(folder);
  const problems = [...checked.problems, ...emptySteps];
  const counts = {
    generations: Object.keys(contracts.generations).length,
    pipelines: Object.keys(contracts.pipelines).length,
    policies: contracts.policy.policies.length,
  };
  const from = contracts.environmentsFrom;
  const elsewhere =
    from === null
      ? ''
      : `; the environments are ${from.path} of ${from.repository}: \`longhaul environments check\` reads them`;
  if (json) io.stdout.write(`${JSON.stringify({ folder: folder.name, ...counts, problems })}\n`);
  else {
    for (const problem of problems) io.stderr.write(`${printable(problem)}\n`);
    const found = `${counts.generations} generations, ${counts.pipelines} pipelines, ${counts.policies} policies`;
    if (problems.length === 0) io.stdout.write(`${folder.name}: ${found}, all valid${elsewhere}\n`);
    else io.stderr.write(`${folder.name}: ${problems.length} problems\n`);
  }
  return problems.length === 0 ? 0 : FAILURES.InvalidConfiguration.exitCode;
}
