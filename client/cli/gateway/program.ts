import { Option } from 'commander';
import { type Commands, integer, jsonOption, listOption, metricsAddressOption } from '../commands.ts';
import type { GatewayOptions, KeyOptions } from './serve.ts';

/** `longhaul gateway`: the console, webhooks of forges and flows for services. */
export function registerGatewayCommands({ program, run }: Pick<Commands, 'program' | 'run'>): void {
  const gateway = program
    .command('gateway')
    .description('serve the console, webhooks of forges and flows for services over HTTP');
  gateway
    .command('serve', { isDefault: true })
    .description('serve, in the foreground')
    .option('--address <host:port>', 'address to serve on (default: gateway.address in longhaul.yaml)')
    .addOption(metricsAddressOption())
    .action((options: GatewayOptions) =>
      run({}, async (context) => (await import('./serve.ts')).serveGateway(context, options)),
    );
  gateway
    .command('key')
    .description('create an API key: shown once, with its lines for longhaul.yaml')
    .requiredOption('--name <name>', "the key's owner")
    .addOption(listOption('--flows <flows>', 'flows that it may start and read: syncRepositories,verifyCatalog'))
    .addOption(listOption('--signals <signals>', 'signals that it may send to runs of these flows'))
    .addOption(listOption('--updates <updates>', 'updates that it may send to runs of these flows: confirm'))
    .addOption(new Option('--rate <n>', 'requests per minute').default(120).argParser(integer(1, 100_000)))
    .addOption(jsonOption())
    .action((options: KeyOptions & { json?: boolean }) =>
      run(options, async (context) => (await import('./serve.ts')).printKey(context, options)),
    );
}
