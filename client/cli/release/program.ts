import { Argument, type Command, Option } from 'commander';
import { integer, jsonOption, type RegisterCommands } from '../commands.ts';
import type { DeployOptions, ListDeploymentsOptions, RollbackOptions } from './deploy.ts';
import { CANARY_ACTIONS, type CanaryAction } from '../../../domain/release/deployment/canary.ts';
import type { CanaryOptions } from './canary.ts';
import type { CheckEnvironmentsOptions } from './environments.ts';
import type { AbandonOptions, EvolutionOptions } from './evolution.ts';
import type { NewOptions } from './generation-file.ts';
import type { DeployHotfixOptions, HotfixOptions } from './hotfix.ts';
import type { PromoteOptions } from './promote.ts';
import type { RecoverOptions } from './recover.ts';
import type { ReadOptions } from './read-view.ts';
import type { RunOptions } from './run.ts';
import type { TrainOptions } from './train.ts';
import type { WithdrawOptions } from './withdraw.ts';

/** `--repo` of commands for one repository. */
const repoOption = (): Option => new Option('--repo <id>', 'the repository (default: that of this folder)');

/** Commands of the release train: contracts, pipelines, evolutions. */
export const registerReleaseCommands: RegisterCommands = ({ program, io, run, runAlone }) => {
  const registerPromote = (promote: Command, kind: 'standard' | 'hotfix'): void =>
    void promote
      .option('--dry-run', 'evaluate and show all gates, and do nothing else')
      .option('--override-freeze <why>', 'promote during a freeze; the reason is recorded')
      .addOption(repoOption())
      .option('--no-wait', 'start the promotion and return')
      .addOption(jsonOption())
      .action((version: string, options: PromoteOptions) =>
        run(options, async (context) => (await import('./promote.ts')).promoteCommand(context, version, kind, options)),
      );
  const release = program.command('release').description('check the contracts of a repository');
  release
    .command('check')
    .description('check generations, policies and pipelines in .longhaul/ or .gryt/ (exit 2 when something is wrong)')
    .argument('[folder]', 'a working folder with the contracts', '.')
    .addOption(jsonOption())
    .action((folder: string, options: { json?: boolean }) =>
      runAlone(async () => (await import('./check.ts')).checkCommand(folder, options, io), options),
    );
  const environments = program.command('environments').description('where releases of a repository are deployed');
  environments
    .command('key')
    .description('print a new key for workers of the role deploy: the file of deploy.key')
    .action(() => runAlone(async () => (await import('./deploy-key.ts')).deployKeyCommand(io)));
  environments
    .command('check')
    .description('ask each cluster what a deployment there would lack (exit 1 when something is missing)')
    .option('--env <name>', 'this environment only')
    .option('--commit <revision>', 'a commit of this folder (default: HEAD)')
    .addOption(repoOption())
    .option('--no-wait', 'start the check and return')
    .addOption(jsonOption())
    .action((options: CheckEnvironmentsOptions) =>
      run(options, async (context) => (await import('./environments.ts')).checkEnvironmentsCommand(context, options)),
    );
  program
    .command('deploy')
    .description('deploy a release to an environment, and put everything back when it goes wrong')
    .argument('<version>', 'v1.5.0')
    .requiredOption('--env <name>', 'the environment')
    .option('--service <names...>', 'only these services')
    .option('--dry-run', 'show the plan, and do nothing else')
    .option('--override-freeze <why>', 'deploy during a freeze; the reason is recorded')
    .option('--reason <why>', 'why it is urgent, and goes past environments before this one; recorded and announced')
    .addOption(
      new Option('--issue <number>', 'an issue at the forge that gets a comment when it is rolled back').argParser(
        integer(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(repoOption())
    .option('--no-wait', 'start the deployment and return')
    .addOption(jsonOption())
    .action((version: string, options: DeployOptions) =>
      run(options, async (context) => (await import('./deploy.ts')).deployCommand(context, version, options)),
    );
  program
    .command('rollback')
    .description('go back to a release that an environment had, as a deployment: the same plan and gates')
    .requiredOption('--env <name>', 'the environment')
    .option('--to <version>', 'the release (default: the one before the present one)')
    .option('--dry-run', 'show the plan, and do nothing else')
    .option('--override-freeze <why>', 'go back during a freeze; the reason is recorded')
    .option('--reason <why>', 'why it goes back; recorded and announced')
    .addOption(repoOption())
    .option('--no-wait', 'start it and return')
    .addOption(jsonOption())
    .action((options: RollbackOptions) =>
      run(options, async (context) => (await import('./deploy.ts')).rollbackCommand(context, options)),
    );
  program
    .command('canary')
    .description('steer the canary of the deployment that is at work in an environment')
    .addArgument(
      new Argument('<action>', 'skip ends the present step, abort puts everything back').choices(CANARY_ACTIONS),
    )
    .requiredOption('--env <name>', 'the environment')
    .option('--why <why>', 'the reason, for the record')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((action: CanaryAction, options: CanaryOptions) =>
      run(options, async (context) => (await import('./canary.ts')).canaryCommand(context, action, options)),
    );
  const deployments = program.command('deployments').description('what was deployed, and what became of it');
  deployments
    .command('list')
    .description('list the latest deployments of a repository')
    .option('--env <name>', 'this environment only')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((options: ListDeploymentsOptions) =>
      run(options, async (context) => (await import('./deploy.ts')).listDeploymentsCommand(context, options)),
    );
  deployments
    .command('show')
    .description('show a deployment with its objects and samples')
    .argument('<id>', 'its id, or the beginning of it')
    .addOption(jsonOption())
    .action((id: string, options: { json?: boolean }) =>
      run(options, async (context) => (await import('./deploy.ts')).showDeploymentCommand(context, id, options)),
    );
  deployments
    .command('diff')
    .description('print what a deployment changes; values of secrets are masked')
    .argument('<id>', 'its id, or the beginning of it')
    .action((id: string) =>
      run({}, async (context) => (await import('./deploy.ts')).diffDeploymentCommand(context, id)),
    );
  deployments
    .command('report')
    .description('write a deployment into one HTML file: timeline, objects, samples, difference')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--output <file>', 'the file (default: deployment-ID.html)')
    .action((id: string, options: { output?: string }) =>
      run({}, async (context) => (await import('./deploy.ts')).reportDeploymentCommand(context, id, options)),
    );
  deployments
    .command('before')
    .description('print an object as it was before a deployment, with all values, where the key of the role deploy is')
    .argument('<id>', 'its id, or the beginning of it')
    .argument('<position>', 'of the object: `longhaul deployments show` has it')
    .action((id: string, position: string) =>
      run({}, async (context) =>
        (await import('./deployment-before.ts')).deploymentBeforeCommand(context, id, position),
      ),
    );
  program
    .command('run')
    .description('run a pipeline at a commit, and prove the evolution that the commit is for')
    .argument('<pipeline>', 'its name')
    .option('--commit <revision>', 'a commit of this folder (default: HEAD)')
    .option('--evolution <tag>', 'the evolution to prove (default: the one that the message names)')
    .option(
      '--supersedes <tags...>',
      'earlier failures of the change that a pass supersedes, if its commit does not descend from theirs',
    )
    .addOption(repoOption())
    .option('--from <job>', 'run this job, what needs it, and what has not passed at this commit; keep the rest')
    .option('--watch', 'show the jobs and what they write while they run')
    .option('--show', 'print the result of each step as JSON')
    .option('--report <file>', 'write a report of the run as one HTML file')
    .option('--flaky', 'list the flaky tests of the pipeline, and run nothing')
    .option('--of <run>', 'show this recorded run, and run nothing: its id in the console or in Temporal')
    .option('--no-wait', 'start the run and return')
    .addOption(jsonOption())
    .action((pipeline: string, options: RunOptions) =>
      run(options, async (context) => (await import('./run.ts')).runCommand(context, pipeline, options)),
    );
  const generation = program.command('generation').description('the versions of a repository, and their promotion');
  generation
    .command('new')
    .description('write the file of a generation into this folder, to be edited')
    .argument('<version>', 'v1.5.0')
    .option('--description <text>', 'what it is about')
    .option('--pipeline <name>', 'the pipeline that proves its changes')
    .action((version: string, options: NewOptions) =>
      run({}, async (context) =>
        (await import('./generation-file.ts')).newGenerationCommand(context, version, options),
      ),
    );
  generation
    .command('rename')
    .description('give a draft without evolutions another version')
    .argument('<version>', 'v1.5.0')
    .argument('<new-version>', 'v1.6.0')
    .addOption(repoOption())
    .action((version: string, other: string, options: ReadOptions) =>
      run({}, async (context) =>
        (await import('./generation-file.ts')).renameGenerationCommand(context, version, other, options),
      ),
    );
  generation
    .command('list')
    .description('list the generations of the ledger, and those of this folder that it does not have')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((options: ReadOptions) =>
      run(options, async (context) => (await import('./generation.ts')).listGenerationsCommand(context, options)),
    );
  generation
    .command('show')
    .description('show a generation with its changes, and what proved them')
    .argument('<version>', 'v1.5.0')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((version: string, options: ReadOptions) =>
      run(options, async (context) =>
        (await import('./generation.ts')).showGenerationCommand(context, version, options),
      ),
    );
  generation
    .command('status')
    .description('what the ledger and the remote say about a generation, and the next command')
    .argument('<version>', 'v1.5.0')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((version: string, options: ReadOptions) =>
      run(options, async (context) =>
        (await import('./generation.ts')).generationStatusCommand(context, version, options),
      ),
    );
  generation
    .command('withdraw')
    .description('take a promoted generation back to a draft, as a recorded decision')
    .argument('<version>', 'v1.5.0')
    .requiredOption('--why <text>', 'the reason, for the audit trail')
    .addOption(new Option('--tag <what>', 'what happens to its tag').choices(['keep', 'remove']).default('keep'))
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((version: string, options: WithdrawOptions) =>
      run(options, async (context) => (await import('./withdraw.ts')).withdrawCommand(context, version, options)),
    );
  generation
    .command('recover')
    .description('after a bad promotion: take an environment back, then the generation, and start the hotfix')
    .argument('<version>', 'the bad release: v6.0.0')
    .requiredOption('--env <name>', 'the environment that goes back')
    .requiredOption('--why <text>', 'what is wrong with it; recorded and announced')
    .addOption(
      new Option('--decision <what>', 'what becomes of the generation (default: people choose at a gate)').choices([
        'withdraw',
        'keep',
      ]),
    )
    .addOption(new Option('--tag <what>', 'what happens to its tag').choices(['keep', 'remove']).default('keep'))
    .option('--issue <id>', 'start the hotfix for this change in the end')
    .option('--title <text>', 'with --issue: what is repaired')
    .option('--from <stage>', 'pass the stages before this one over: decision, withdrawal or hotfix')
    .option('--override-freeze <why>', 'do it during a freeze; the reason is recorded')
    .addOption(repoOption())
    .option('--no-wait', 'start it and return')
    .addOption(jsonOption())
    .action((version: string, options: RecoverOptions) =>
      run(options, async (context) => (await import('./recover.ts')).recoverCommand(context, version, options)),
    );
  registerPromote(
    generation
      .command('promote')
      .description('evaluate all gates, push the final tag and record the promotion (exit 9 when a gate is closed)')
      .argument('<version>', 'of the generation: v1.5.0')
      .option('--commit <revision>', 'a commit of this folder (default: the head of the default branch)'),
    'standard',
  );
  const train = program
    .command('train')
    .description('the release train of a repository: weekly promotion and deployment');
  for (const [name, description] of [
    ['start', 'create or change its schedule, as the contract of the default branch says'],
    ['stop', 'delete its schedule, and cancel the train that is under way'],
  ] as const) {
    train
      .command(name)
      .description(description)
      .addOption(repoOption())
      .addOption(jsonOption())
      .action((options: TrainOptions) =>
        run(options, async (context) => (await import('./train.ts')).scheduleTrainCommand(context, name, options)),
      );
  }
  train
    .command('status')
    .description('the next departure, what is on the train, what it waits for, and what the latest one did')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((options: TrainOptions) =>
      run(options, async (context) => (await import('./train.ts')).trainStatusCommand(context, options)),
    );
  const hotfix = program.command('hotfix').description('repair a released version');
  hotfix
    .command('create')
    .description('open the next free patch version on a branch from the tag of a release')
    .argument('<version>', 'the released version: v2.3.0')
    .requiredOption('--issue <id>', 'id of the change: CRIT-500')
    .requiredOption('--title <text>', 'what is repaired')
    .option('--deploy <environment>', 'wait for its proof, promote it, and deploy it to this environment')
    .option('--reason <why>', 'with --deploy: why environments before it are passed over; recorded and announced')
    .option('--override-freeze <why>', 'with --deploy: promote and deploy during a freeze; the reason is recorded')
    .addOption(repoOption())
    .option('--no-wait', 'start it and return')
    .addOption(jsonOption())
    .action((version: string, options: HotfixOptions) =>
      run(options, async (context) => (await import('./hotfix.ts')).hotfixCommand(context, version, options)),
    );
  registerPromote(
    hotfix
      .command('promote')
      .description('promote a hotfix: one passing evolution of its change, and none pending (exit 9 otherwise)')
      .argument('<version>', 'of the hotfix: v2.3.1')
      .option('--commit <revision>', 'a commit of this folder (default: the one that was proven)'),
    'hotfix',
  );
  hotfix
    .command('deploy')
    .description(
      'promote a hotfix that was created, when it is proven, and deploy it (exit 11: promoted, but put back)',
    )
    .argument('<version>', 'of the hotfix: v2.3.1')
    .requiredOption('--env <name>', 'the environment')
    .requiredOption('--reason <why>', 'why environments before it are passed over; recorded and announced')
    .option('--override-freeze <why>', 'promote and deploy during a freeze; the reason is recorded')
    .addOption(repoOption())
    .option('--no-wait', 'start it and return')
    .addOption(jsonOption())
    .action((version: string, options: DeployHotfixOptions) =>
      run(options, async (context) => (await import('./hotfix.ts')).deployHotfixCommand(context, version, options)),
    );
  const evolution = program.command('evolution').description('start and list evolutions: attempts to prove a change');
  evolution
    .command('start')
    .description('check the policies, and give the attempt the number of a release candidate')
    .argument('<version>', 'of the generation: v1.5.0')
    .requiredOption('--change <id>', 'the change: FEAT-201')
    .option('--pipeline <name>', 'the pipeline that is to prove it (default: as the contracts say)')
    .option('--commit <revision>', 'prove it at once at a commit of this folder')
    .option('--replaces <digest>', 'the contract in the ledger that this one replaces, as a refusal prints it')
    .option('--repo <id>', 'the repository, with the contracts of its default branch (default: those of this folder)')
    .addOption(jsonOption())
    .action((version: string, options: EvolutionOptions) =>
      run(options, async (context) =>
        (await import('./evolution.ts')).startEvolutionCommand(context, version, options),
      ),
    );
  evolution
    .command('abandon')
    .description('end a pending evolution without a verdict; its number is spent')
    .argument('<tag>', 'v1.5.0-rc.2')
    .requiredOption('--why <text>', 'the reason, for the audit trail')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((tag: string, options: AbandonOptions) =>
      run(options, async (context) => (await import('./evolution.ts')).abandonEvolutionCommand(context, tag, options)),
    );
  evolution
    .command('list')
    .description('list the evolutions and changes of a generation')
    .argument('<version>', 'of the generation: v1.5.0')
    .addOption(repoOption())
    .addOption(jsonOption())
    .action((version: string, options: ReadOptions) =>
      run(options, async (context) =>
        (await import('./evolution.ts')).listEvolutionsCommand(context, version, options),
      ),
    );
};
