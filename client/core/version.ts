import { createRequire } from 'node:module';

/** Version of this package, from its `package.json`, for the sources and the compiled files. */
export const VERSION: string = (createRequire(import.meta.url)('longhaul/package.json') as { version: string }).version;
