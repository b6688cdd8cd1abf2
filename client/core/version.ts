import { createRequire } from 'node:module';

/** Version of this package, as its `package.json` says: the sources and the compiled files find the same one. */
export const VERSION: string = (createRequire(import.meta.url)('longhaul/package.json') as { version: string }).version;
