import { LonghaulError } from '../../domain/failures.js';
import { StackError } from '../../stack/stack-error.js';
/** Does `work`, and gives what the stack throws its name among the failures: `StackFailed`. */
export async function namingStackFailures(work) {
    try {
        return await work();
    }
    catch (error) {
        if (error instanceof StackError)
            throw new LonghaulError('StackFailed', error.message, { cause: error });
        throw error;
    }
}
//# sourceMappingURL=stack-failure.js.map