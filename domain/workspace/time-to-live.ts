/** The longest time that a life is given, or given more, at once: a year. */
export const LONGEST_TTL_SECONDS = 31_536_000;
/** How far from now the end of a life may be moved: ten years. */
export const LATEST_END_SECONDS = 10 * LONGEST_TTL_SECONDS;

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 };

/** The seconds of a time such as `90m`, `2h` or `3d`; null for another text. */
export function secondsOfTtl(text: string): number | null {
  const [, count, unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  return count === undefined ? null : Number(count) * (SECONDS[unit] ?? 0);
}
