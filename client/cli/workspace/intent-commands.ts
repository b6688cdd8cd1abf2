import { type Command, InvalidArgumentError } from 'commander';
import {
  OPPORTUNITY_CATEGORIES,
  type OpportunityCategory,
  readCategory,
} from '../../../domain/workspace/opportunity/opportunity.ts';
import { integer, jsonOption, type RegisterCommands } from '../commands.ts';
import type { DiscoverOptions } from './discover.ts';
import type { OnOptions } from './on.ts';
import type { OpportunitiesOptions } from './opportunities.ts';

/** Commands that find out what to work on, and what it needs. They change nothing. */
export function registerIntentCommands(workspace: Command, run: Parameters<RegisterCommands>[0]['run']): void {
  workspace
    .command('discover')
    .description('what a sentence about work means in a workspace: repositories with reasons, skills, effort, links')
    .argument('[words...]', 'such as: work on phoenix auth bugs; fix jason#203; validate my change downstream')
    .option('--root <folder>', 'the folder of the workspace', '.')
    .option('--intent <file>', 'an intent as JSON: capabilities, constraints, preferences')
    .option('--issues', 'ask the forges for open issues and pull requests')
    .option('--registries', 'ask the registries for versions, deprecations and retirements of the packages')
    .option('--snapshot <file>', 'also write the snapshot, with what forges and registries say')
    .option('--ephemeral', 'the workspace is removed when the task is done')
    .option('--ttl <time>', 'how long the workspace is needed, such as 2h', timeToLive)
    .addOption(jsonOption())
    .action((words: string[], options: DiscoverOptions) =>
      run(options, async (context) => (await import('./discover.ts')).discoverCommand(context, words, options)),
    );
  workspace
    .command('opportunities')
    .description('the open issues of a workspace as things to work on: scored, in categories, with what to do next')
    .argument('[words...]', 'what is wanted, such as: good first issue bugs in ecto (default: everything)')
    .option('--root <folder>', 'the folder of the workspace', '.')
    .option('--intent <file>', 'an intent as JSON: capabilities, constraints, preferences')
    .option('--skills <list>', 'what you can do, such as elixir,go: the rest needs skills', commaList)
    .option('--category <name>', `only these: ${OPPORTUNITY_CATEGORIES.join(', ')}`, opportunityCategory)
    .option('--agent', 'print what a program needs to rank them')
    .option('--ranking <file>', 'show them in the order of this ranking, if it only orders and annotates')
    .addOption(jsonOption())
    .action((words: string[], options: OpportunitiesOptions) =>
      run(options, async (context) =>
        (await import('./opportunities.ts')).opportunitiesCommand(context, words, options),
      ),
    );
  workspace
    .command('on')
    .description('plan what a change of a repository needs: everything that needs it, attached and linked to it')
    .argument('<repo>', 'the repository that changes: its name, owner/repo, or a package of it')
    .requiredOption('--consumers', 'with the repositories that need it')
    .option('--depth <steps>', 'only those that need it in so many steps', integer(1, 1_000))
    .option('--among <folder>', 'also look for them below this folder')
    .option('--root <folder>', 'the folder of the workspace', '.')
    .option('-o, --output <file>', 'write the plan, to be reviewed and applied')
    .addOption(jsonOption())
    .action((repo: string, options: OnOptions) =>
      run(options, async (context) => (await import('./on.ts')).onCommand(context, repo, options)),
    );
}

function timeToLive(value: string): string {
  if (/^[1-9]\d{0,4}[mhd]$/.test(value)) return value;
  throw new InvalidArgumentError('Give minutes, hours or days, such as 90m, 2h or 3d.');
}

function opportunityCategory(value: string): OpportunityCategory {
  const category = readCategory(value);
  if (category !== null) return category;
  throw new InvalidArgumentError(`Give one of ${OPPORTUNITY_CATEGORIES.join(', ')}.`);
}

function commaList(value: string): string[] {
  const items = value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  if (items.length > 0) return items;
  throw new InvalidArgumentError('Give at least one.');
}
