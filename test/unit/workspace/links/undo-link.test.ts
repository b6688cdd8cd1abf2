import {
  appendFileSync,
  existsSync,
  mkdirSync,
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
import { folderOfWorkspace } from '../../../../activities/workspace/workspace-registration.ts';
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

describe('what a program writes into a file that the plan has taken away is kept', () => {
  /** A plan that takes the links away, and a program that writes into the file of them when it is committed. */
  async function taken(bytes: Buffer) {
    const place = await linkedWorkspace(scratchFolder());
    const { root, manifest } = place;
    await applyWorkspacePlan(place.bytes, siteOf(place));
    const both = [
      ['api', 'core'],
      ['web', 'core'],
    ] as const;
    const { bytes: plan } = await planFor(place, manifest(both), manifest([]));
    const open = openSync(join(root, 'go.work'), 'a');
    let isWritten = false;
    const onProgress = (): void => {
      if (isWritten || existsSync(join(root, 'go.work'))) return;
      isWritten = true;
      writeSync(open, bytes);
    };
    return { place, plan, site: { ...siteOf(place), onProgress } };
  }

  test.each([
    ['as text', Buffer.from('// mine\n')],
    ['also when it is no text any more', Buffer.from([0xff, 0xfe, 0x00])],
    ['also when it is too large', Buffer.alloc(1_100_000, 'x')],
  ])('%s', async (_, bytes) => {
    const { place, plan, site } = await taken(bytes);
    const { kept, outcome } = await applyWorkspacePlan(plan, site);
    expect(outcome).toBe('committed');
    expect(kept).toHaveLength(1);
    expect(readFileSync(kept[0] ?? '').includes(bytes)).toBe(true);
    expect(readdirSync(place.root)).not.toContain('go.work');
  });

  test('and is told also when the process has ended before its caller had the answer', async () => {
    const { place, plan, site } = await taken(Buffer.from('// mine\n'));
    // the answer cannot be written
    const last = join(folderOfWorkspace(site.dataDir, place.root), 'last.json');
    const onProgress = (): void => {
      site.onProgress();
      if (!existsSync(join(place.root, 'go.work'))) mkdirSync(join(last, 'in the way'), { recursive: true });
    };
    const applying = applyWorkspacePlan(plan, { ...site, onProgress, run: 'run' });
    await expect(applying).rejects.toThrow(/directory/);
    const found = readdirSync(join(place.root, '.graft')).filter((name) => name.startsWith('kept-go.work-'));
    expect(found).toHaveLength(1);
    rmSync(last, { recursive: true });
    const again = await applyWorkspacePlan(plan, { ...site, run: 'run' });
    expect([again.outcome, again.kept]).toEqual(['committed', [join(place.root, '.graft', found[0] ?? '')]]);
  });
});
