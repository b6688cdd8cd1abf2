import { createProgram } from '../../../client/cli/program.ts';
import { memoryIo } from '../memory-io.ts';

/**
 * Runs many `longhaul evolution start` at once, in the clone that is the working folder. Arguments: the version, and
 * pairs of a change and a commit. Prints the exit codes and the outputs as JSON.
 */
const [version = '', ...pairs] = process.argv.slice(2);
const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
const ended = pairs.map(async (pair) => {
  const [change = '', commit = ''] = pair.split('=');
  const io = memoryIo(env);
  const args = ['evolution', 'start', version, '--change', change, '--commit', commit];
  const exitCode = await createProgram({ io }).run(args);
  return [change, { exitCode, said: `${io.out()}${io.err()}` }] as const;
});
process.stdout.write(JSON.stringify(Object.fromEntries(await Promise.all(ended))), () => process.exit());
