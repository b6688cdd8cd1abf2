/** What keeps the embedded stack from running, in one plain sentence with the way out. */
export class StackError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StackError';
  }
}
