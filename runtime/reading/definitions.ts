/**
 * The definitions that are known here, found by their hash or name: what reads the values of runs,
 * whoever executes them. It starts nothing.
 */
import type { Codec } from "../codec/codec.js";
import { json } from "../codec/json.js";
import type { AnySagaDefinition } from "../definition.js";
import { StenoError } from "../errors.js";
import type { LoadedSaga } from "../execution/loaded-saga.js";
import type { NodeCodecs } from "../codec/node-codecs.js";
import type { ErrorClasses } from "../codec/recorded-error.js";
import type { RunState } from "../state.js";
import type { RunRow } from "../stores/store.js";

export class Definitions {
  readonly sagas: readonly LoadedSaga[];

  constructor(sagas: readonly LoadedSaga[]) {
    this.sagas = sagas;
  }

  byHash(hash: string): LoadedSaga | undefined {
    return this.sagas.find(({ manifest }) => manifest.hash === hash);
  }

  /** The classes of errors of a definition, if it is here. */
  errors(hash: string): ErrorClasses | undefined {
    return this.byHash(hash)?.errors;
  }

  /** The saga that new runs of this definition take. @throws StenoError `definition-not-open` */
  loaded({ manifest: { name, hash } }: AnySagaDefinition): LoadedSaga {
    const saga = this.latest(name);
    if (saga.manifest.hash === hash) return saga;
    throw new StenoError(
      "definition-not-open",
      `\`${name}\` is in \`sagas\` first with another definition: new runs take the first`,
    );
  }

  /** The saga that new runs of this name take. @throws StenoError `definition-not-open` */
  latest(name: string): LoadedSaga {
    const saga = this.sagas.find(({ manifest }) => manifest.name === name);
    if (saga !== undefined) return saga;
    throw new StenoError(
      "definition-not-open",
      `\`${name}\` is not in \`sagas\`: open the coordinator with \`definition.on(instance)\` in it`,
    );
  }

  /** The codecs of the nodes of a run's method. @throws StenoError `definition-not-open` */
  nodeCodecs({ saga, hash }: RunRow): readonly NodeCodecs[] {
    const found = this.sagas.find(({ manifest }) => manifest.hash === hash);
    if (found !== undefined) return found.graphs.get(found.plan)?.codecs ?? [];
    throw new StenoError(
      "definition-not-open",
      `the definition of \`${saga}\` that the run was started with is not in \`sagas\`: only it knows ` +
        "the types of its nodes; open the coordinator with the older bundle, too",
    );
  }

  /** As `resultCodec`, of a run of which only the row is known. */
  rowCodec({ saga, hash }: RunRow): Codec {
    const found = this.byHash(hash) ?? this.sagas.find(({ manifest }) => manifest.name === saga);
    return found?.method.result ?? json;
  }

  /**
   * How results of a saga are read. Of a definition that is not here any more, as the one reads them
   * that has its name now; of a saga that is unknown here, as JSON.
   */
  resultCodec({ root: { plan } }: RunState, hash: string | undefined): Codec {
    const { sagas } = this;
    const found =
      sagas.find((each) => each.plan === plan || each.manifest.hash === hash) ??
      sagas.find(({ manifest }) => manifest.name === plan.saga);
    return found?.method.result ?? json;
  }
}
