#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { userFolders } from '../activities/shared/user-folders.ts';

// A command takes half the time when compiled code is cached: before the program is loaded. In a folder that only the
// environment chooses, and not in /tmp, where others could write. NODE_COMPILE_CACHE comes first.
enableCompileCache(join(userFolders(process.env).cache, 'compiled'));
const { createProgram } = await import('./cli/program.ts');

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // the reader of a pipe closed it
  if (error.code === 'EPIPE') process.exit(141);
  throw error;
});
const exitCode = await createProgram().run(process.argv.slice(2));
// an interrupted command has a request open that Temporal answers after up to a minute; a person who pressed Tab waits
if (exitCode === 130 || process.argv[2] === 'complete') process.exit(exitCode);
process.exitCode = exitCode;
