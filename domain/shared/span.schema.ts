import { z } from 'zod';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/**
 * A time span such as `90s`, `5m`, `1h` or `7d`, parsed to seconds. `most` is the longest allowed, in the same format.
 */
export function spanOfTime(most: string): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,5}[smhd]$/, 'write a time span such as 90s, 5m or 1h')
    .transform(secondsOf)
    .refine((seconds) => seconds <= secondsOf(most), `give at most ${most}`);
}

function secondsOf(text: string): number {
  return Number.parseInt(text, 10) * (SECONDS[text.slice(-1)] ?? 1);
}
