import { z } from 'zod';
import { type Level, LEVELS, type ReportedFinding } from '../../../domain/release/quality/report.ts';
import { sha256 } from '../../../platform/sha256.ts';

const level = z.enum([...LEVELS, 'none']);
const rule = z.looseObject({
  id: z.string(),
  defaultConfiguration: z.looseObject({ level: level.optional() }).optional(),
});

const result = z.looseObject({
  ruleId: z.string().optional(),
  ruleIndex: z.int().optional(),
  rule: z.looseObject({ id: z.string().optional(), index: z.int().optional() }).optional(),
  kind: z.string().optional(),
  level: level.optional(),
  message: z.looseObject({ text: z.string().optional(), markdown: z.string().optional(), id: z.string().optional() }),
  locations: z
    .array(
      z.looseObject({
        physicalLocation: z
          .looseObject({
            artifactLocation: z.looseObject({ uri: z.string().optional() }).optional(),
            region: z.looseObject({ startLine: z.int().optional() }).optional(),
          })
          .optional(),
      }),
    )
    .optional(),
  partialFingerprints: z.record(z.string(), z.string()).optional(),
  fingerprints: z.record(z.string(), z.string()).optional(),
  suppressions: z.array(z.looseObject({ status: z.string().optional() })).nullish(),
});

const log = z.looseObject({
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.looseObject({
        tool: z.looseObject({ driver: z.looseObject({ name: z.string(), rules: z.array(rule).optional() }) }),
        results: z.array(result).nullish(),
      }),
    )
    .min(1),
});

const MESSAGE = 2_000;

/** Reads a SARIF 2.1.0 log, without suppressed results. Throws an `Error` for another file. */
export function parseSarif(text: string): ReportedFinding[] {
  const parsed = log.safeParse(JSON.parse(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`it is no SARIF 2.1.0: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  return parsed.data.runs.flatMap(({ tool: { driver }, results }) =>
    (results ?? []).flatMap((one): ReportedFinding[] => {
      const known = driver.rules?.[one.ruleIndex ?? one.rule?.index ?? -1];
      const id = one.ruleId ?? one.rule?.id ?? known?.id ?? 'unknown';
      const byRule = known ?? driver.rules?.find((each) => each.id === id);
      const found = one.level ?? byRule?.defaultConfiguration?.level ?? 'warning';
      const isFailure = one.kind === undefined || one.kind === 'fail';
      const isSuppressed = (one.suppressions ?? []).some(({ status }) => status === undefined || status === 'accepted');
      if (!isFailure || isSuppressed || found === 'none') return [];
      const place = one.locations?.[0]?.physicalLocation;
      const path = place?.artifactLocation?.uri ?? null;
      const message = (one.message.text ?? one.message.markdown ?? one.message.id ?? '').slice(0, MESSAGE);
      const own = Object.entries({ ...one.partialFingerprints, ...one.fingerprints }).sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      return [
        {
          fingerprint: sha256(JSON.stringify([driver.name, id, path, own.length > 0 ? own : message])),
          rule: id,
          level: found satisfies Level,
          path,
          line: place?.region?.startLine ?? null,
          message,
        },
      ];
    }),
  );
}
