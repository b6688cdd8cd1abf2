import { abandonEvolutionFlow, proveChangeFlow, startEvolutionFlow } from './evolution-flows.ts';
import { answerAlertsFlow } from './alert-flow.ts';
import { announcePromotionFlow } from './announcement-flow.ts';
import { anchorAuditFlow } from './anchor-flow.ts';
import { checkEnvironmentsFlow } from './environments-flow.ts';
import { changeEnvironmentFlow, deployReleaseFlow } from './deploy-flows.ts';
import { createHotfixFlow } from './hotfix-flow.ts';
import { releaseHotfixFlow } from './hotfix-release-flow.ts';
import { promoteGenerationFlow } from './promotion-flows.ts';
import { runPipelineFlow } from './pipeline-flows.ts';
import { proveOnPushFlow } from './push-flow.ts';
import { recoverGenerationFlow } from './recovery-flow.ts';
import { renameGenerationFlow } from './rename-flow.ts';
import { runTrainFlow, scheduleTrainFlow } from './train-flows.ts';
import { withdrawGenerationFlow } from './withdrawal-flow.ts';

/** The flows of the release train. */
export const releaseFlows = [
  runPipelineFlow,
  startEvolutionFlow,
  proveChangeFlow,
  proveOnPushFlow,
  abandonEvolutionFlow,
  promoteGenerationFlow,
  announcePromotionFlow,
  createHotfixFlow,
  releaseHotfixFlow,
  withdrawGenerationFlow,
  recoverGenerationFlow,
  renameGenerationFlow,
  anchorAuditFlow,
  checkEnvironmentsFlow,
  deployReleaseFlow,
  changeEnvironmentFlow,
  answerAlertsFlow,
  runTrainFlow,
  scheduleTrainFlow,
] as const;
