/** The public API of steno-restate; the one file that users import. */
export {
  type RestateStartOptions,
  stenoRestate,
  type StenoRestate,
  type StenoRestateOptions,
} from "./client.js";
export { type SagaService, type SagaServiceOptions, sagaService } from "./service.js";
export { type ServeOptions, type Serving, serveSagas } from "./serve.js";
