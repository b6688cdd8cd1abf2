// Adds to package-lock.json the optional platform packages that the current registry does not serve, so that `npm ci`
// accepts the lock file. They are never installed here: os/cpu do not match.
import { readFileSync, writeFileSync } from 'node:fs';
const file = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
let added = 0;
for (const [path, pkg] of Object.entries(lock.packages)) {
  for (const [name, spec] of Object.entries(pkg.optionalDependencies ?? {})) {
    const dirs = [path];
    for (let p = path; p.includes('node_modules/');) {
      p = p.slice(0, p.lastIndexOf('node_modules/')).replace(/\/$/, '');
      dirs.push(p);
    }
    const found = dirs.some((d) => lock.packages[`${d ? d + '/' : ''}node_modules/${name}`]);
    if (found) continue;
    const os = /darwin|macos/.exec(name)
      ? 'darwin'
      : /win32|windows/.exec(name)
        ? 'win32'
        : /(android|freebsd|openbsd|netbsd|sunos|aix|openharmony|linux)/.exec(name)?.[1];
    const cpu = /(arm64|aarch64|ia32|x64|ppc64|s390x|riscv64|loong64|mips64el|wasm32|arm)/.exec(name)?.[1];
    lock.packages[`node_modules/${name}`] = {
      version: spec.replace(/^[\^~]/, ''),
      ...(pkg.dev ? { dev: true } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
      ...(cpu ? { cpu: [cpu] } : {}),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n');
console.log(`added ${added}`);
