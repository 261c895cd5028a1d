/**
 * What the source says, after the frontend: plain data with spans, and no ts-morph in it.
 * Nothing after the frontend sees the AST. The shape is: a `SourceModel` for each file that declares
 * sagas; in it `SagaModel`s; in these `NodeModel`s, whose expressions are `Code`.
 */
import type { RetryPolicy } from "steno-runtime/manifest";
import type { ObjectType, TypeModel } from "./type-model.js";

/** A range in a file: UTF-16 offsets, end exclusive. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A source file that declares at least one saga, and what its generated module needs to know. */
export interface SourceModel {
  /** Absolute path of the source. */
  readonly file: string;
  /** How the generated module, beside it, imports it: `./book-trip.js` (or `.ts`, as the project does). */
  readonly specifier: string;
  readonly sagas: readonly SagaModel[];
  readonly classes: readonly ClassModel[];
}

export interface ClassModel {
  readonly name: string;
  readonly span: Span;
  /** Under which name the source exports it (`default` included). */
  readonly exportedAs: string;
  /** Whether `new Class()` is allowed. */
  readonly constructible: boolean;
}

/** One `@saga` method, lowered. Also used for a saga that is embedded as a subsaga. */
export interface SagaModel extends GraphModel {
  /** The saga's name: `BookTrip.bookTrip`, or what `@saga({ name })` says. */
  readonly name: string;
  /** Under which name the generated module exports the definition. */
  readonly exportName: string;
  readonly className: string;
  readonly method: string;
  readonly span: Span;
  /** The source that declares the class. */
  readonly file: string;
  /** Under which name that source exports the class (`default` included). */
  readonly exportedAs: string;
  /** Whether the method takes params. */
  readonly hasParams: boolean;
  /** The classes of errors that its actions declare, and those of the sagas that it embeds. */
  readonly errors: readonly ErrorModel[];
  readonly params: TypeModel;
  readonly result: TypeModel;
  /** All local variables that some `Code` of this saga refers to, in whichever of its graphs. */
  readonly variables: ReadonlyMap<VariableId, Variable>;
}

/** A graph: of a method, of the items of a map or loop, of a scope, of its handler. */
export interface GraphModel {
  /** In source order. */
  readonly nodes: readonly NodeModel[];
  /**
   * What it returns: the first whose conditions hold, and the last if no other does. Empty: nothing.
   * The codes are glue. Of a scope and a handler it is empty: what they return is the method's.
   */
  readonly outputs: readonly Alternative[];
  /** Where the graph of a loop, scope or handler leaves to before its end: the first that holds. */
  readonly exits: readonly ExitModel[];
}

/** One of several values, by the path that was taken. */
export interface Alternative {
  /** Of any graph whose nodes can be read at the place. Empty: always. */
  readonly when: readonly ConditionModel[];
  /**
   * Absent: `undefined`. Evaluated, with the glue that it reads, only if the conditions hold: on
   * other paths that glue might throw.
   */
  readonly code: Code | undefined;
}

export interface ExitModel {
  readonly to: "break" | "continue" | "return";
  readonly when: readonly ConditionModel[];
}

/**
 * An arm that was taken: of a decision; of a loop, `return` or `break`; of a scope, `caught` or where it
 * exits to. Those of a node name nodes of its own graph.
 */
export interface ConditionModel {
  readonly decision: string;
  readonly arm: string;
  /** Holds if the arm was not taken, also where the decision was skipped. */
  readonly not?: true;
}

/** A node that has ended before another. With `when`, it is waited for only if that holds. */
export type AfterModel =
  string | { readonly node: string; readonly when: readonly ConditionModel[] };

// --- nodes

interface NodeModelBase {
  /** By the naming rule of the design; unique in its saga. */
  readonly name: string;
  readonly span: Span;
  /**
   * Nodes of the same graph that have ended before this one starts, the decisions in `when` among
   * them or before them. Complete or not, never with too many: a pass reduces it.
   */
  readonly after: readonly AfterModel[];
  /** All must hold, else the node is skipped. Absent: it always runs. */
  readonly when?: readonly ConditionModel[];
}

export interface ActionNodeModel extends NodeModelBase {
  readonly kind: "action";
  readonly action: ActionModel;
  /** The arguments, each glue; one may be a spread (`...xs`). */
  readonly inputs: readonly Code[];
}

export interface ComputeNodeModel extends NodeModelBase {
  readonly kind: "compute";
  readonly code: Code;
  readonly type: TypeModel;
}

export interface SubsagaNodeModel extends NodeModelBase {
  readonly kind: "subsaga";
  readonly saga: SagaModel;
  /** Members from `this` to the object that has the saga: `[]` for `this.other()`, `["servers"]` … */
  readonly path: readonly Member[];
  readonly params: Code | undefined;
}

export interface DecisionNodeModel extends NodeModelBase {
  readonly kind: "decision";
  /** The value is one of the arms. Like that of a compute node it need not be glue. */
  readonly code: Code;
  readonly arms: readonly string[];
}

/** `Promise.all(xs.map(…))`, and `for (const x of xs) { … }`. */
export interface IterationNodeModel extends NodeModelBase {
  readonly kind: "map" | "loop";
  /** The list. It need not be glue. */
  readonly items: Code;
  /** The name of an item in paths; absent: its number. Reads the item, and need not be glue. */
  readonly key: Code | undefined;
  readonly concurrency: number | undefined;
  /** Its outputs: what an item gives. */
  readonly graph: GraphModel;
  readonly item: TypeModel;
  /** What an item gives: of a loop, one that leaves it by `return`. */
  readonly result: TypeModel;
}

/** `try { … } catch { … }`. */
export interface ScopeNodeModel extends NodeModelBase {
  readonly kind: "scope";
  readonly graph: GraphModel;
  readonly handler: GraphModel;
}

/** `throw`. */
export interface FailNodeModel extends NodeModelBase {
  readonly kind: "fail";
  /** What is thrown. It need not be glue. */
  readonly error: Code;
}

export interface SleepNodeModel extends NodeModelBase {
  readonly kind: "sleep";
  /** A duration as the runtime takes it. It need not be glue. */
  readonly duration: Code;
}

export interface EventNodeModel extends NodeModelBase {
  readonly kind: "event";
  /** The property of the class that declares the event, and is the event's name. */
  readonly event: Member;
  readonly type: TypeModel;
  readonly timeoutMs: number | undefined;
}

/** A run of its own that is started here. */
export interface SpawnNodeModel extends NodeModelBase {
  readonly kind: "spawn";
  readonly saga: SpawnedModel;
  readonly params: Code | undefined;
  readonly id: Code | undefined;
  /** Whether its result is waited for, and is the output of the node. */
  readonly wait: boolean;
}

/** What is known of a saga that is started as a run of its own: its graph is none of ours. */
export interface SpawnedModel {
  readonly name: string;
  readonly method: string;
  /** Members from `this` to the object that has it. */
  readonly path: readonly Member[];
  readonly params: TypeModel;
  readonly result: TypeModel;
}

export type NodeModel =
  | ActionNodeModel
  | ComputeNodeModel
  | SubsagaNodeModel
  | DecisionNodeModel
  | IterationNodeModel
  | ScopeNodeModel
  | FailNodeModel
  | SleepNodeModel
  | EventNodeModel
  | SpawnNodeModel;

export interface ActionModel {
  readonly method: string;
  /** A tuple. */
  readonly inputs: TypeModel;
  readonly output: TypeModel;
  /** The user's own schema of the output. */
  readonly schema: OutputSchemaModel | undefined;
  readonly span: Span;
  /** Once it has succeeded the run only goes forward. */
  readonly pivot: boolean;
  readonly onFailure: "pause" | undefined;
  readonly errors: readonly ErrorModel[];
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  readonly undo: "none" | UndoModel;
}

/** A Standard Schema that checks the output of an action: what is imported, and properties of it. */
export interface OutputSchemaModel {
  readonly external: External;
  readonly path: readonly string[];
}

/** A class of errors that an action declares. */
export interface ErrorModel {
  readonly name: string;
  /** Of the declaration: two classes of one name have two. */
  readonly key: string;
  readonly external: External;
  /** What is recorded of its own data. */
  readonly data: ObjectType;
  /** Where it is declared for an action. */
  readonly span: Span;
}

export interface UndoModel {
  readonly method: string;
  readonly span: Span;
  readonly when: "started" | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
}

// --- expressions

export type VariableId = number;

/** A member of `this`; one that is not public is reached by element access. */
export interface Member {
  readonly name: string;
  readonly public: boolean;
  /** It may be missing, by its type: where it is read a decision has seen that it is there. */
  readonly optional?: true;
}

/** What generated code must import, under the name that it has in the source. */
export interface External {
  /** The name that the source uses. */
  readonly name: string;
  /** Whether only its type is used. */
  readonly typeOnly: boolean;
  /** The source that has this import or export: another one than the module's, in an embedded saga. */
  readonly file: string;
  readonly from:
    /** An import of the source, by the specifier that it uses. */
    | {
        readonly kind: "import";
        readonly module: string;
        readonly imported: string | "default" | "*";
        /** Import attributes, as written: `with { type: "json" }`. */
        readonly attributes: string | undefined;
      }
    /** An export of the source itself. */
    | { readonly kind: "export"; readonly exported: string };
}

/**
 * A piece of the user's own text, with what it refers to taken out, so that it can be printed in
 * another place under other names. Comments are left out.
 */
export interface Code {
  readonly parts: readonly CodePart[];
  readonly span: Span;
  /**
   * Conditions that hold where the code stands, and that TypeScript narrowed types by: to be
   * repeated in front of it, so that it has its types in another place too. Glue, in source order.
   */
  readonly guards?: readonly Guard[];
}

/** A condition that holds, or whose opposite does. */
export interface Guard {
  readonly test: Code;
  readonly holds: boolean;
}

export type CodePart =
  | string
  /** A variable; as a shorthand property it is printed `name: renamed` when it has to be renamed. */
  | { readonly variable: VariableId; readonly shorthand: boolean }
  | { readonly external: External; readonly shorthand: boolean }
  /** `this.member`; only in compute nodes. */
  | { readonly self: Member };

/** A local variable of the method: what it holds decides how generated code gets at it. */
export interface Variable {
  readonly id: VariableId;
  /** As written; for a value without a variable of its own, a name made from its node's. */
  readonly name: string;
  readonly holds:
    | { readonly kind: "params" }
    /**
     * The output of a node. Of a decision its arm; of a scope `{ caught, returned, broke, continued }`;
     * of a loop `{ returned, broke, value }`.
     */
    | { readonly kind: "node"; readonly node: string }
    /** In the graph of a map or loop: its item, and the item's number. */
    | { readonly kind: "item" | "index"; readonly node: string }
    /** In the handler of a scope: what is caught. */
    | { readonly kind: "error"; readonly node: string }
    /** One of several values: the first whose conditions hold, and the last if no other does. */
    | {
        readonly kind: "choice";
        readonly alternatives: readonly Alternative[];
        /** The type that it is declared with. */
        readonly type: Code | undefined;
      }
    /** Part of what a glue statement `const pattern = init` binds. */
    | { readonly kind: "glue"; readonly statement: GlueStatement };
}

/** `const pattern: type = init`, to be repeated in front of whatever needs one of its variables. */
export interface GlueStatement {
  readonly pattern: Pattern;
  readonly type: Code | undefined;
  readonly init: Code;
  /** Whether what is taken apart is written as a literal, or may be. */
  readonly literal?: true;
}

/** A binding pattern. Printing leaves out what is not needed, so that nothing is unused. */
export type Pattern =
  | { readonly kind: "variable"; readonly variable: VariableId }
  | {
      readonly kind: "object";
      readonly properties: readonly {
        /** As printed before the colon: `id`, `"odd name"`. */
        readonly key: string;
        readonly target: Pattern;
        readonly fallback: Code | undefined;
      }[];
      readonly rest: VariableId | undefined;
    }
  | {
      readonly kind: "array";
      /** `undefined`: a hole. */
      readonly elements: readonly (
        { readonly target: Pattern; readonly fallback: Code | undefined } | undefined
      )[];
      readonly rest: VariableId | undefined;
    };
