// Run by prestart/pretest: installs the locked dependencies once; when nothing has changed it does not call npm.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = `${root}node_modules/.longhaul-install`;
const lock = `${root}.install-lock`;
const read = (f) => {
  try {
    return readFileSync(f, 'utf8');
  } catch {
    return '';
  }
};
const want = createHash('sha256')
  .update(read(`${root}package-lock.json`))
  .update(read(`${root}package.json`))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex');
const done = () => read(stampFile) === want;

if (!done()) {
  const alive = (pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (e) {
      return e.code === 'EPERM';
    }
  };
  for (let waited = 0; ; waited += 250) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (e) {
      if (e.code !== 'EEXIST') throw e;
      const pid = Number(read(lock));
      if (pid > 0 && !alive(pid)) rmSync(lock, { force: true });
      else if (waited > 600_000) throw new Error(`another install (pid ${pid}) holds ${lock}`);
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 250);
    }
  }
  try {
    if (!done()) {
      const npm = process.env.npm_execpath;
      const [cmd, pre] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
      const r = spawnSync(cmd, [...pre, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: root,
        stdio: ['ignore', 2, 2],
        shell: cmd === 'npm' && process.platform === 'win32',
      });
      if (r.status === 0) writeFileSync(stampFile, want);
      else process.exitCode = r.status ?? 1;
    }
  } finally {
    rmSync(lock, { force: true });
  }
}
