import { LonghaulError } from '../../../domain/shared/failures.ts';

/**
 * What a parser answers, or `otherwise` when it refuses its input with a named failure, whose message must contain
 * `named`. Throws whatever else it throws.
 */
export function anticipated<Answer>(parse: () => Answer, otherwise: Answer, named = ''): Answer {
  try {
    return parse();
  } catch (error) {
    if (error instanceof LonghaulError && error.message.includes(named)) return otherwise;
    throw error;
  }
}
