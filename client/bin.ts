#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { createProgram } from './cli/program.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // the reader of a pipe closed it
  if (error.code === 'EPIPE') process.exit(141);
  throw error;
});
const program = createProgram({
  // a command takes half the time when compiled code is cached; not in /tmp, where others could write
  onContext: ({ cacheDir }) => void enableCompileCache(join(cacheDir, 'compiled')),
});
const exitCode = await program.run(process.argv.slice(2));
// an interrupted command has a request open that Temporal answers after up to a minute; a person who pressed Tab waits
if (exitCode === 130 || process.argv[2] === 'complete') process.exit(exitCode);
process.exitCode = exitCode;
