import { expect, test } from 'vitest';
import { createProgram } from '../../../client/cli/program.ts';
import type { RegisterCommands } from '../../../client/cli/commands.ts';
import { Interrupted } from '../../../client/core/errors.ts';
import { VERSION } from '../../../client/core/version.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { memoryIo } from '../../support/memory-io.ts';

/** The commands of a wing that exists only in this test. */
const toy: RegisterCommands = ({ program, run }) => {
  program
    .command('toy')
    .argument('<what>')
    .option('--json')
    .action((what: string, options: { json?: boolean }) =>
      run(options, ({ stdout, config }) => {
        if (what === 'fail') throw new LonghaulError('InvalidInput', 'no such toy');
        if (what === 'interrupt') throw new Interrupted();
        stdout.write(`${what} of ${config.index.name}\n`);
        return 7;
      }),
    );
};

const env = { LONGHAUL_DATA_DIR: '/nowhere', LONGHAUL_CACHE_DIR: '/nowhere' };

test('runs a command in process: its streams, its exit code', async () => {
  const io = memoryIo(env);
  expect(await createProgram({ io, wings: [toy] }).run(['toy', 'bear'])).toBe(7);
  expect([io.out(), io.err()]).toEqual(['bear of Longhaul\n', '']);
});

test('a failure is printed as one sentence or one JSON object, with its exit code', async () => {
  const io = memoryIo(env);
  const program = createProgram({ io, wings: [toy] });
  expect(await program.run(['toy', 'fail'])).toBe(2);
  expect([io.out(), io.err()]).toEqual(['', expect.stringMatching(/^longhaul: no such toy\n/)]);
  expect(await program.run(['toy', 'fail', '--json'])).toBe(2);
  expect(JSON.parse(io.out())).toMatchObject({ error: { type: 'InvalidInput', message: 'no such toy' } });
});

test('arguments that cannot be parsed end with 2, on the streams of the program', async () => {
  const io = memoryIo(env);
  const program = createProgram({ io });
  expect(await program.run(['sync', '--parallel', 'many', '--json'])).toBe(2);
  expect(io.err()).toContain('Give a whole number from 1 to 64.');
  expect(JSON.parse(io.out())).toMatchObject({ error: { type: 'InvalidInput' } });
});

test('an interruption ends with 130 and prints nothing more', async () => {
  const io = memoryIo(env);
  expect(await createProgram({ io, wings: [toy] }).run(['toy', 'interrupt'])).toBe(130);
  expect([io.out(), io.err()]).toEqual(['', '']);
});

test('help and version name every folder of commands and the version of package.json', async () => {
  const io = memoryIo(env);
  const program = createProgram({ io });
  expect(await program.run(['--version'])).toBe(0);
  expect(await program.run(['--help'])).toBe(0);
  expect(io.out()).toContain(`${VERSION}\n`);
  for (const name of ['up', 'sync', 'watch', 'gateway', 'worker', 'mcp']) expect(io.out()).toContain(`\n  ${name} `);
});

test('a check that only parses replaces the work of every command', async () => {
  const io = memoryIo(env);
  const program = createProgram({ io, execute: () => 0 });
  expect(await program.run(['index', 'add', '--pattern', 'acme/*', '--yes'])).toBe(0);
  expect(await program.run(['index', 'add'])).toBe(2);
  expect(await program.run(['groups', 'run', 'services', 'too', 'many'])).toBe(2);
});
