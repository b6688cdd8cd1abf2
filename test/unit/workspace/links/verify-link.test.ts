import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan } from '../../../../activities/workspace/apply-plan.ts';
import type { PlanSite } from '../../../../activities/workspace/plan-run.ts';
import { findOnPath } from '../../../../platform/program.ts';
import { failureOf } from '../../../support/mgit.ts';
import { git, SCRATCH_ENV, scratchFolder } from '../../../support/scratch-git.ts';
import { LINKABLE, linkedWorkspace } from '../../../support/workspace/linked-workspace.ts';
import { siteOf as plainSiteOf, type PlanPlace, walk } from '../../../support/workspace/plan-site.ts';

const { api = {}, core = {} } = LINKABLE;
const only = (
  files: Readonly<Record<string, string>>,
  ...wanted: readonly string[]
): Readonly<Record<string, string>> => Object.fromEntries(wanted.map((name) => [name, files[name] ?? '']));

/** Rust is not on every machine; Go is, which builds the servers of the tests. */
const hasCargo = (await findOnPath('cargo', SCRATCH_ENV)) !== null;

/** Where plans are applied, with the toolchains of this machine. */
const siteOf = (place: PlanPlace): PlanSite => {
  const site = plainSiteOf(place);
  const home = { RUSTUP_HOME: join(homedir(), '.rustup'), CARGO_HOME: join(homedir(), '.cargo') };
  return { ...site, env: { ...site.env, ...home } };
};

/** A folder with links to these programs only. */
function pathWith(scratch: string, ...programs: readonly string[]): string {
  const folder = join(scratch, 'tools');
  mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    const real = execFileSync('sh', ['-c', `command -v ${program}`], { env: SCRATCH_ENV, encoding: 'utf8' }).trim();
    symlinkSync(real, join(folder, program));
  }
  return folder;
}

describe('after the links of a plan are made, the tools say where packages come from', () => {
  test('and what cannot be said yet is named, never taken for verified', async () => {
    const place = await linkedWorkspace(scratchFolder());
    const { outcome, unverified } = await applyWorkspacePlan(place.bytes, siteOf(place));
    expect(outcome).toBe('committed');
    const hasUv = (await findOnPath('uv', SCRATCH_ENV)) !== null;
    expect(unverified.toSorted()).toEqual([
      ...(hasCargo
        ? []
        : ['The link from api to core in .cargo/config.toml is not verified: there is no program cargo on the PATH.']),
      'The link from api to core in package.json is not verified: nothing is installed in api yet: ' +
        `run the install command in ${place.root}.`,
      ...(hasUv
        ? []
        : ['The link from api to core in pyproject.toml is not verified: there is no program uv on the PATH.']),
    ]);
    // no tool has written into a repository, nor left anything in the root
    for (const name of ['api', 'core', 'web']) expect(git(join(place.root, name), 'status', '--porcelain')).toBe('');
    expect(readdirSync(join(place.root, '.graft')).toSorted()).toEqual(['.gitignore', 'state.json']);
    expect(existsSync(join(place.root, 'uv.lock'))).toBe(false);
  });

  test('a tool that is missing is named', async () => {
    const scratch = scratchFolder();
    const place = await linkedWorkspace(scratch, { core: only(core, 'go.mod'), api: only(api, 'go.mod') });
    const site = siteOf(place);
    const PATH = pathWith(scratch, 'git', 'sh');
    const { unverified } = await applyWorkspacePlan(place.bytes, { ...site, env: { ...site.env, PATH } });
    expect(unverified).toEqual([
      'The link from api to core in go.work is not verified: there is no program go on the PATH.',
    ]);
  });

  test('what a tool says is told without secrets, also where it is cut', async () => {
    const scratch = scratchFolder();
    const place = await linkedWorkspace(scratch, { core: only(core, 'go.mod'), api: only(api, 'go.mod') });
    const PATH = pathWith(scratch, 'git', 'sh');
    const address = `https://deploy:${'Secret1'.repeat(20)}@registry.example.com`;
    const said = `${'no '.repeat(150)}${address}`;
    writeFileSync(join(scratch, 'tools', 'go'), `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 });
    const site = siteOf(place);
    const { unverified } = await applyWorkspacePlan(place.bytes, { ...site, env: { ...site.env, PATH } });
    expect(unverified).toEqual([expect.stringMatching(/go list -m ended with 1: (no )+https:\/\/\[redacted\]/)]);
    expect(unverified.join('')).not.toContain('Secret');
  });

  test('a link that a tool does not follow fails the plan, and everything is undone', async () => {
    // the nearest go.work counts, and this one has only its own module
    const own = { ...only(api, 'go.mod'), 'go.work': 'go 1.22\n\nuse .\n' };
    const place = await linkedWorkspace(scratchFolder(), { core: only(core, 'go.mod'), api: own });
    const base = walk(place.root);
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toBe(
      'PlanPreconditionFailed: The link from api to core in go.work does not hold: ' +
        'in api, example.com/core comes from its registry.',
    );
    expect(walk(place.root)).toEqual(base);
  });

  test('what is installed in a repository hides the link', async () => {
    const scratch = scratchFolder();
    const place = await linkedWorkspace(scratch, {
      core: only(core, 'package.json'),
      api: { ...only(api, 'package.json'), 'node_modules/core/package.json': '{"name":"core","version":"1.0.0"}' },
    });
    expect(await failureOf(applyWorkspacePlan(place.bytes, siteOf(place)))).toBe(
      'PlanPreconditionFailed: The link from api to core in package.json does not hold: ' +
        'in api, core comes from api/node_modules/core.',
    );
  });

  test.skipIf(!hasCargo)('no program that a repository names runs', async () => {
    const scratch = scratchFolder();
    const trap = join(scratch, 'trap');
    writeFileSync(join(scratch, 'trap.sh'), `#!/bin/sh\ntouch '${trap}'\nexec rustc "$@"\n`, { mode: 0o755 });
    const place = await linkedWorkspace(scratch, {
      core: only(core, 'Cargo.toml', 'src/lib.rs'),
      api: {
        ...only(api, 'Cargo.toml', 'src/lib.rs'),
        '.cargo/config.toml': `[build]\nrustc = "${join(scratch, 'trap.sh')}"\n`,
        'rust-toolchain.toml': `[toolchain]\npath = "${scratch}"\n`,
        'build.rs': `fn main() { std::fs::write("${trap}", "").unwrap(); }\n`,
      },
    });
    const { unverified } = await applyWorkspacePlan(place.bytes, siteOf(place));
    expect(unverified).toEqual([]);
    expect(existsSync(trap)).toBe(false);
  });
});
