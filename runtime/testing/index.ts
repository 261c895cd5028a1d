/** The testing kit: what users test their sagas with. Nothing of it is for production. */
export { virtualClock } from "./virtual-clock.js";
export type { VirtualClock } from "./virtual-clock.js";
export { withActionContext } from "./action-context.js";
export { storeContract } from "../stores/contract.js";
export type { StoreCheck } from "../stores/contract.js";
export { verifySaga } from "./verify-saga.js";
export type { VerifyEnd, VerifyOptions } from "./verify/options.js";
export { SagaNotVerifiedError } from "./verify/report.js";
export type { VerifiedScenario, VerifyCoverage, VerifyReport } from "./verify/report.js";
