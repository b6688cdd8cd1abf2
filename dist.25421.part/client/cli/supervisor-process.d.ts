import type { StackProgress } from '../../stack/progress.ts';
/** What this process says to the command that started it. */
export type SupervisorMessage = {
    readonly type: 'progress';
    readonly progress: StackProgress;
} | {
    readonly type: 'ready';
} | {
    readonly type: 'failed';
    readonly message: string;
};
