import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addToManifest, removeFromManifest } from '../../../activities/workspace/edit-manifest.ts';
import { readWorkspaceManifest } from '../../../activities/workspace/workspace-manifest-file.ts';
import { scratchFolder } from '../../support/scratch-git.ts';

/** What a manifest becomes when `web` is added, and when `core` is then removed. */
async function edited(file: string, text: string): Promise<{ readonly added: string; readonly removed: string }> {
  const root = scratchFolder();
  const path = join(root, file);
  writeFileSync(path, text);
  const origin = 'https://git.example/acme/web.git';
  await addToManifest(root, await readWorkspaceManifest(root), [
    { name: 'web', path: 'libs/web', origin, branch: null },
  ]);
  const added = readFileSync(path, 'utf8');
  await removeFromManifest(root, await readWorkspaceManifest(root), ['core']);
  return { added, removed: readFileSync(path, 'utf8') };
}

const WEB = '{ name: "web", path: "libs/web", origin: "https://git.example/acme/web.git" }';

describe('a manifest keeps its other bytes', () => {
  test('of YAML with dashes, comments and maps over several lines', async () => {
    const before = `# mine
repositories:   # all
  - { name: api } # the api
  # about core
  - name: core
    origin: "https://git.example/core.git"   # read
links:
  - { from: api, to: core }
`;
    const root = scratchFolder();
    writeFileSync(join(root, 'longhaul.workspace.yaml'), before);
    const found = await readWorkspaceManifest(root);
    await addToManifest(root, found, [{ name: 'web', path: 'web', origin: null, branch: null }]);
    const added = readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8');
    expect(added).toBe(before.replace('# read\n', '# read\n  - { name: "web" }\n'));
    // a link names it
    await expect(removeFromManifest(root, await readWorkspaceManifest(root), ['core'])).rejects.toMatchObject({
      type: 'InvalidConfiguration',
    });
    expect(readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8')).toBe(added);
  });

  test('of YAML with dashes', async () => {
    const { added, removed } = await edited(
      'longhaul.workspace.yaml',
      'branch: x\nrepositories:\n- name: core # c\n  path: a/core\n- { path: b/api }\n# end\n',
    );
    expect(added).toBe(
      `branch: x\nrepositories:\n- name: core # c\n  path: a/core\n- { path: b/api }\n- ${WEB}\n# end\n`,
    );
    expect(removed).toBe(`branch: x\nrepositories:\n- { path: b/api }\n- ${WEB}\n# end\n`);
  });

  test('of YAML in brackets', async () => {
    const { added, removed } = await edited(
      'longhaul.workspace.yaml',
      'repositories: [{ name: api }, { name: core }]\n',
    );
    expect(added).toBe(`repositories: [{ name: api }, { name: core }, ${WEB}]\n`);
    expect(removed).toBe(`repositories: [{ name: api }, ${WEB}]\n`);
  });

  test('of graft.exs', async () => {
    const before = `# siblings: [ not this
%{
  root: ".",
  siblings: [
    %{name: :core, path: "a ]"}, # ] }
    %{name: :api, path: "api"}
  ]
}
`;
    const { added, removed } = await edited('graft.exs', before);
    const web = '%{name: :web, path: "libs/web", origin: "https://git.example/acme/web.git"}';
    expect(added).toBe(before.replace('path: "api"}', `path: "api"},\n    ${web}`));
    expect(removed).toBe(added.replace('%{name: :core, path: "a ]"}, # ] }\n    ', ''));
  });
});

test('without a manifest, one is written with what is there', async () => {
  const root = scratchFolder();
  const found = {
    file: null,
    passedOver: [],
    manifest: (await readWorkspaceManifest(root)).manifest,
  };
  await addToManifest(root, found, [
    { name: 'web', path: 'web', origin: 'https://git.example/a,b/},{.git', branch: 'feature/x' },
    { name: 'api', path: 'api', origin: null, branch: null },
  ]);
  expect(readFileSync(join(root, 'longhaul.workspace.yaml'), 'utf8')).toBe(
    `repositories:
  - { name: "web", origin: "https://git.example/a,b/},{.git", branch: "feature/x" }
  - { name: "api" }
`,
  );
});

test('the last repository stays in its manifest, and what another program has written meanwhile is kept', async () => {
  const root = scratchFolder();
  const path = join(root, 'longhaul.workspace.yaml');
  writeFileSync(path, 'repositories: [{ name: core }]\n');
  const found = await readWorkspaceManifest(root);
  await expect(removeFromManifest(root, found, ['core'])).rejects.toMatchObject({ type: 'InvalidInput' });
  writeFileSync(path, 'repositories: &all [{ name: core }, { name: api }]\nlinks: []\n');
  await removeFromManifest(root, await readWorkspaceManifest(root), ['core']);
  expect(readFileSync(path, 'utf8')).toBe('repositories: &all [{ name: api }]\nlinks: []\n');
});
