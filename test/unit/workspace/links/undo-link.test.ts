import {
  appendFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { applyWorkspacePlan, undoWorkspacePlan } from '../../../../activities/workspace/apply-plan.ts';
import { failureOf } from '../../../support/mgit.ts';
import { scratchFolder } from '../../../support/scratch-git.ts';
import { LINKABLE, type LinkedWorkspace, linkedWorkspace } from '../../../support/workspace/linked-workspace.ts';
import { planFor, siteOf, walk } from '../../../support/workspace/plan-site.ts';

/** A workspace in which `api` gets a link, and after that the one of `web` is refused: the version does not fit. */
async function failing(scratch: string): Promise<LinkedWorkspace> {
  const web = { 'package.json': '{"name":"web","version":"1.0.0","dependencies":{"core":"^2.0.0"}}' };
  return linkedWorkspace(scratch, { ...LINKABLE, web });
}

const WHY = 'PlanPreconditionFailed: web needs core ^2.0.0, and core has 1.2.0.';

/** Applies the plan, and lets a person do something when the link of `api` is made. */
async function applied(place: LinkedWorkspace, whenLinked: () => void): Promise<string | null> {
  let isDone = false;
  const onProgress = ({ done }: { readonly done: number }): void => {
    if (done !== 3 || isDone) return;
    isDone = true;
    whenLinked();
  };
  return failureOf(applyWorkspacePlan(place.bytes, { ...siteOf(place), parallel: 1, onProgress }));
}

describe('of a file that a person has changed since only the links are undone:', () => {
  test('lines around them stay, also after a save by rename, in each format', async () => {
    const place = await failing(scratchFolder());
    const { root } = place;
    const base = walk(root);
    const mine: Record<string, string> = {
      'go.work': '\nreplace example.com/other => ../other\n',
      '.cargo/config.toml': '[net]\nretry = 5\n',
      'pyproject.toml': '[tool.ruff]\nline-length = 120\n',
    };
    const failure = await applied(place, () => {
      for (const [file, text] of Object.entries(mine)) appendFileSync(join(root, file), text);
      const npm = join(root, 'package.json');
      const { private: isPrivate, ...rest } = JSON.parse(readFileSync(npm, 'utf8')) as Record<string, unknown>;
      writeFileSync(`${npm}~`, `${JSON.stringify({ private: isPrivate, scripts: { a: 'b' }, ...rest }, null, 2)}\n`);
      renameSync(`${npm}~`, npm);
    });
    expect(failure).toBe(WHY);
    for (const [file, text] of Object.entries(mine)) expect(readFileSync(join(root, file), 'utf8'), file).toBe(text);
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toEqual({
      private: true,
      scripts: { a: 'b' },
    });
    for (const file of [...Object.keys(mine), 'package.json']) rmSync(join(root, file));
    rmSync(join(root, '.cargo'), { recursive: true });
    expect(walk(root)).toEqual(base);
  });

  test('one that has only our bytes again, in another file, goes', async () => {
    const place = await failing(scratchFolder());
    const { root } = place;
    const base = walk(root);
    const work = join(root, 'go.work');
    const failure = await applied(place, () => {
      writeFileSync(`${work}~`, readFileSync(work));
      renameSync(`${work}~`, work);
    });
    expect(failure).toBe(WHY);
    expect(walk(root)).toEqual(base);
  });

  test('a changed link is a conflict that is told by name, and nothing is written over', async () => {
    const place = await failing(scratchFolder());
    const { root } = place;
    const base = walk(root);
    const work = join(root, 'go.work');
    const failure = await applied(place, () =>
      writeFileSync(work, readFileSync(work, 'utf8').replace('"./api"', '"./mine"')),
    );
    expect(failure).toMatch(
      /^UndoFailed: web needs core \^2\.0\.0, and core has 1\.2\.0\. Not everything could be undone:\n- /,
    );
    expect(failure).toContain(`${work} has links that were changed by hand.`);
    expect(readFileSync(work, 'utf8')).toContain('"./mine"');
    expect(existsSync(join(root, 'package.json'))).toBe(false);
    expect(await undoWorkspacePlan(siteOf(place), place.plan.id)).toMatchObject({ outcome: 'incomplete' });
    rmSync(work);
    expect(await undoWorkspacePlan(siteOf(place), place.plan.id)).toMatchObject({ outcome: 'undone', left: [] });
    expect(walk(root)).toEqual(base);
  });
});

test('what a program writes into a file that the plan has taken away is kept', async () => {
  const place = await linkedWorkspace(scratchFolder());
  const { root, manifest } = place;
  await applyWorkspacePlan(place.bytes, siteOf(place));
  const both = [
    ['api', 'core'],
    ['web', 'core'],
  ] as const;
  const { bytes } = await planFor(place, manifest(both), manifest([]));
  const open = openSync(join(root, 'go.work'), 'a');
  const site = {
    ...siteOf(place),
    onProgress: () => void writeSync(open, existsSync(join(root, 'go.work')) ? '' : '// mine\n'),
  };
  const { kept, outcome } = await applyWorkspacePlan(bytes, site);
  expect(outcome).toBe('committed');
  expect(kept).toHaveLength(1);
  expect(readFileSync(kept[0] ?? '', 'utf8')).toContain('// mine\n');
  expect(readdirSync(root)).not.toContain('go.work');
});

test('a workspace says which links it has, and which were changed by hand', async () => {
  const place = await linkedWorkspace(scratchFolder());
  const { root, manifest } = place;
  await applyWorkspacePlan(place.bytes, siteOf(place));
  const both = [
    ['api', 'core'],
    ['web', 'core'],
  ] as const;
  const { plan } = await planFor(place, manifest(both), manifest(both));
  expect(plan.operations).toEqual([]);
  expect(plan.current.links.map(({ repo, dep, files }) => [repo, dep, files])).toEqual([
    ['api', 'core', ['.cargo/config.toml', 'go.work', 'package.json', 'pyproject.toml']],
    ['web', 'core', ['go.work']],
  ]);
  const work = join(root, 'go.work');
  writeFileSync(work, readFileSync(work, 'utf8').replace('"./web"', '"./other"'));
  const changed = await planFor(place, manifest(both), manifest(both));
  expect(changed.plan.current.diagnostics.find(({ kind }) => kind === 'links_changed')).toMatchObject({
    file: 'go.work',
  });
  expect(await failureOf(applyWorkspacePlan(changed.bytes, siteOf(place)))).toContain(
    `the links in ${work} were changed by hand`,
  );
});
