const MOST = 1_000;
const LONGEST = 4_096;

/** The glob patterns among the values of a list. Others, too long ones, and those after the thousandth are reported. */
export function usablePatterns(values: readonly unknown[], report: (message: string) => void): string[] {
  if (values.length > MOST) report(`There are more than ${MOST} patterns: the others are ignored.`);
  return values.slice(0, MOST).flatMap((value) => {
    if (typeof value === 'string' && value.length <= LONGEST) return [value];
    report(
      typeof value === 'string'
        ? `A pattern has more than ${LONGEST} characters: it is ignored.`
        : 'A pattern is not a string: it is ignored.',
    );
    return [];
  });
}
