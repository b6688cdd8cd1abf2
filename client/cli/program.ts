import { Command, CommanderError } from 'commander';
import type { FlowRegistry } from '../../domain/shared/flow.ts';
import { type CliIo, processIo } from '../core/io.ts';
import { VERSION } from '../core/version.ts';
import { registerBlobCommands } from './blobs/program.ts';
import { registerCatalogCommands } from './catalog/program.ts';
import type { RegisterCommands, RunAlone, WingParts, Work } from './commands.ts';
import { registerCompletionCommands } from './completion/program.ts';
import { registerConfigCommands } from './config/program.ts';
import { registerFlowCommands } from './flows/program.ts';
import { registerGateCommands } from './gates/program.ts';
import { registerGatewayCommands } from './gateway/program.ts';
import { registerLedgerCommands } from './ledger/program.ts';
import { registerReleaseCommands } from './release/program.ts';
import { registerStackCommands } from './stack/program.ts';
import { registerWorkspaceCommands } from './workspace/program.ts';

/** The commands of the wings, in the order of `longhaul --help`. A new wing adds its commands here. */
const WINGS: readonly RegisterCommands[] = [
  registerCatalogCommands,
  registerReleaseCommands,
  registerWorkspaceCommands,
];

/** Differences from the installed program. */
export interface CommandLineOptions {
  /** Streams, environment and signals. @default those of this process */
  readonly io?: CliIo;
  /** The commands of the wings. @default those of this package */
  readonly wings?: readonly RegisterCommands[];
  /** The flows that it knows. @default those of all wings */
  readonly flows?: FlowRegistry;
  /** Replaces the work of every command, for tests that only parse arguments. Returns the exit code. */
  readonly execute?: (work: () => Promise<number> | number) => Promise<number> | number;
}

/** The command line in this process. */
export interface CommandLine {
  /** The tree of commands, for documentation and completion. */
  readonly command: Command;
  /**
   * Runs a command, given as arguments without node and script, such as `['sync', '--all']`. Returns the exit code
   * (docs/exit-codes.md); 2 for arguments that cannot be parsed. Prints to the program's streams, leaves no signal
   * handlers behind, and never ends the process. Do not run a program twice at the same time.
   */
  run(argv: readonly string[]): Promise<number>;
}

/** Creates the command line. Only commander is loaded at first: every command loads its dependencies when it runs. */
export function createProgram(options: CommandLineOptions = {}): CommandLine {
  const { io = processIo(), wings = WINGS, execute } = options;
  let exitCode = 0;
  const program = new Command('longhaul')
    .description(
      'Durable workflows for code estates: one searchable index of all your repositories, always up to date.',
    )
    .version(VERSION)
    .option(
      '--config <file>',
      'configuration file (default: LONGHAUL_CONFIG, ./longhaul.yaml if trusted, the user configuration folder)',
    )
    .option('--data <dir>', 'folder of the embedded stack (default: LONGHAUL_DATA_DIR, then the user data folder)')
    .showHelpAfterError('(see longhaul --help)')
    .addHelpText('after', '\nExit codes: docs/exit-codes.md. Start with: longhaul up --detach')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => (io.stdout.isTTY ? (io.stdout.columns ?? 80) : 80),
      getErrHelpWidth: () => (io.stderr.isTTY ? (io.stderr.columns ?? 80) : 80),
    })
    .exitOverride();

  const end = async (json: boolean, work: () => Promise<number> | number): Promise<void> => {
    try {
      exitCode = await (execute === undefined ? work() : execute(work));
    } catch (error) {
      const { printError } = await import('../core/errors.ts');
      exitCode = printError(error, json, io);
    }
  };
  const run = ({ json }: { readonly json?: boolean }, work: Work): Promise<void> =>
    end(json === true, async () => {
      const { openTrustedContext } = await import('./config/trust.ts');
      const context = await openTrustedContext(program.opts(), io);
      const { openNetwork } = await import('../../activities/shared/network.ts');
      await openNetwork(context);
      return work(context);
    });
  const runAlone: RunAlone = (work, { json = false } = {}) => end(json, work);
  const flows = async (): Promise<FlowRegistry> => options.flows ?? (await import('../../domain/flows.ts')).FLOWS;
  const parts: WingParts[] = [];
  const add = (more: WingParts): void => void parts.push(more);
  registerStackCommands({ program, run, parts });
  registerConfigCommands({ program, io, runAlone });
  for (const register of wings) register({ program, io, run, runAlone, add });
  registerGateCommands({ program, run });
  registerLedgerCommands({ program, run });
  registerBlobCommands({ program, run });
  registerGatewayCommands({ program, run });
  registerFlowCommands({ program, run, flows, parts });
  registerCompletionCommands({ program, io, runAlone });

  return {
    command: program,
    async run(argv) {
      exitCode = 0;
      try {
        await program.parseAsync([...argv], { from: 'user' });
        return exitCode;
      } catch (error) {
        if (!(error instanceof CommanderError)) throw error;
        if (error.exitCode === 0) return 0;
        if (argv.includes('--json')) {
          const [{ LonghaulError }, { printError }] = await Promise.all([
            import('../../domain/shared/failures.ts'),
            import('../core/errors.ts'),
          ]);
          printError(new LonghaulError('InvalidInput', error.message), true, io);
        }
        return 2;
      }
    },
  };
}
