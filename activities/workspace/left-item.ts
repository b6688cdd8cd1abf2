/** Something that could not be undone, because bytes that are not the plan's are in the way. */
export interface LeftItem {
  /** One sentence: what is where, and why it was left. */
  readonly problem: string;
  /** The command with which a person finishes it, or looks at it. */
  readonly command: string;
}

/** A text as one word of a POSIX shell. */
export function inShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
