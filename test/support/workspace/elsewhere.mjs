// Loaded before the program (node --import): another machine, on which folders are listed in the other direction, it is a
// year later, and the user is another one.
import fs, { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { readdir } = promises;
promises.readdir = async (...args) => (await readdir(...args)).toReversed();
const { readdirSync } = fs;
fs.readdirSync = (...args) => readdirSync(...args).toReversed();
syncBuiltinESMExports();

const YEAR_MS = 365 * 86_400_000;
const { now } = Date;
Date.now = () => now() + YEAR_MS;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now()] : args));
  }
};

if (process.getuid?.() === 0) {
  process.setgid(65_534);
  process.setuid(65_534);
}
