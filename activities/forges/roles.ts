import type { WingRole } from '../shared/wing-role.ts';

/** Writing to forges, for the flows of every wing: in the role `repos`, which has the tokens. */
export const forgeRoles: readonly WingRole[] = [
  {
    role: 'repos',
    async open({ loaded, env }) {
      const [{ openBlobs }, { openMgit }, { createForgeActivities }, { openForges }] = await Promise.all([
        import('../blobs/open-blobs.ts'),
        import('../mgit/open-mgit.ts'),
        import('./forge-activities.ts'),
        import('./open-forge.ts'),
      ]);
      const forges = openForges(loaded.config.providers, env);
      const tools = { forges, mgit: openMgit(loaded, env), blobs: await openBlobs(loaded, env) };
      return { activities: createForgeActivities(tools) };
    },
  },
];
