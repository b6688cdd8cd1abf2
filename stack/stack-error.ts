/** What prevents the embedded stack from running, in one plain sentence with the remedy. */
export class StackError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'StackError';
  }
}
