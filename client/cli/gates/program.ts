import type { GateAnswer } from '../../../domain/gates/gate.ts';
import { type Commands, jsonOption } from '../commands.ts';
import type { DecideOptions, DelegateOptions } from './decide.ts';

const ANSWERS: Readonly<Record<GateAnswer, string>> = {
  approve: 'approve a gate',
  reject: 'reject a gate: one rejection closes it',
  revoke: 'take your approval of a gate back, as long as it is open',
};

/** Commands for people: open gates, decisions, delegations, keys. */
export function registerGateCommands({ program, run }: Pick<Commands, 'program' | 'run'>): void {
  program
    .command('inbox')
    .description('list the open gates of all flows: what is asked, who may decide, and until when')
    .addOption(jsonOption())
    .action((options: { json?: boolean }) =>
      run(options, async (context) => (await import('./inbox.ts')).printInbox(context, options)),
    );
  for (const verdict of Object.keys(ANSWERS) as GateAnswer[]) {
    program
      .command(verdict)
      .description(ANSWERS[verdict])
      .argument('<id>', 'the gate, as longhaul inbox prints it')
      .requiredOption('--why <text>', 'the reason, for the audit trail')
      .option('--for <name>', 'decide in the place of this person, who delegated it')
      .option('--digest <digest>', 'refuse if the gate is about something else than this')
      .addOption(jsonOption())
      .action((id: string, options: DecideOptions) =>
        run(options, async (context) => (await import('./decide.ts')).decide(context, id, verdict, options)),
      );
  }
  program
    .command('delegate')
    .description('let another person decide gates in your place until a time; an earlier time ends it')
    .argument('<name>', 'the other person')
    .requiredOption('--until <time>', 'such as 2026-12-24T18:00Z')
    .addOption(jsonOption())
    .action((name: string, options: DelegateOptions) =>
      run(options, async (context) => (await import('./decide.ts')).delegate(context, name, options)),
    );
  const person = program.command('person').description('people who decide gates');
  person
    .command('key')
    .description('create the API key of a person: shown once, with its lines for longhaul.yaml')
    .argument('<name>', 'the person')
    .addOption(jsonOption())
    .action((name: string, options: { json?: boolean }) =>
      run(options, async (context) => (await import('./person-key.ts')).printPersonKey(context, name, options)),
    );
}
