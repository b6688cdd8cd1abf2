import { z } from 'zod';
import { bounded, parsedJson, type RegistrySource } from './registry-source.ts';

const hexAnswer = z.object({
  latest_stable_version: z.string().nullish(),
  latest_version: z.string().nullish(),
  releases: z.array(z.object({ version: z.string() })),
  retirements: z
    .record(z.string(), z.object({ reason: z.string().nullish(), message: z.string().nullish() }))
    .default({}),
});

/** The HTTP API of Hex. */
export const HEX_REGISTRY: RegistrySource = {
  isName: (name) => /^[a-z][a-z0-9_]{0,99}$/.test(name),
  read: (client, base, name) =>
    client.get(`${base}/packages/${name}`, 'application/json', (text) => {
      const found = parsedJson(text, hexAnswer);
      const latest = found.latest_stable_version ?? found.latest_version ?? null;
      const retired = Object.entries(found.retirements).map(([version, { reason, message }]) => ({
        version,
        why: [reason, message].filter(Boolean).join(': '),
      }));
      const deprecated = retired.find(({ version }) => version === latest)?.why ?? null;
      const versions = found.releases.map(({ version }) => version);
      return bounded({ name, latest, versions, deprecated, retired });
    }),
};
