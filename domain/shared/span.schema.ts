import { z } from 'zod';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A span of time such as `90s`, `5m`, `1h` or `7d`, read as seconds. `most` is the longest that is allowed, written the same way. */
export function spanOfTime(most: string): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,5}[smhd]$/, 'write a span of time such as 90s, 5m or 1h')
    .transform(secondsOf)
    .refine((seconds) => seconds <= secondsOf(most), `give at most ${most}`);
}

function secondsOf(text: string): number {
  return Number.parseInt(text, 10) * (SECONDS[text.slice(-1)] ?? 1);
}
