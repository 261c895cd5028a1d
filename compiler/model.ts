/**
 * What the source says, after the frontend: plain data with spans, and no ts-morph in it.
 * Nothing after the frontend sees the AST. The shape is: a `SourceModel` for each file that declares
 * sagas; in it `SagaModel`s; in these `NodeModel`s, whose expressions are `Code`.
 */
import type { RetryPolicy } from "steno-runtime/manifest";

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
export interface SagaModel {
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
  /** All local variables that some `Code` of this saga refers to. */
  readonly variables: ReadonlyMap<VariableId, Variable>;
  /** In source order. */
  readonly nodes: readonly NodeModel[];
  /** What it returns; absent: nothing. Always glue. */
  readonly output: Code | undefined;
}

// --- nodes

interface NodeModelBase {
  /** By the naming rule of the design; unique in its saga. */
  readonly name: string;
  readonly span: Span;
  /** Nodes that have ended before this one starts. Complete or not, never with too many: a pass reduces it. */
  readonly after: readonly string[];
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
}

export interface SubsagaNodeModel extends NodeModelBase {
  readonly kind: "subsaga";
  readonly saga: SagaModel;
  /** Members from `this` to the object that has the saga: `[]` for `this.other()`, `["servers"]` … */
  readonly path: readonly Member[];
  readonly params: Code | undefined;
}

export type NodeModel = ActionNodeModel | ComputeNodeModel | SubsagaNodeModel;

export interface ActionModel {
  readonly method: string;
  readonly span: Span;
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
  readonly undo: "none" | UndoModel;
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
    /** The output of a node. */
    | { readonly kind: "node"; readonly node: string }
    /** Part of what a glue statement `const pattern = init` binds. */
    | { readonly kind: "glue"; readonly statement: GlueStatement };
}

/** `const pattern: type = init`, to be repeated in front of whatever needs one of its variables. */
export interface GlueStatement {
  readonly pattern: Pattern;
  readonly type: Code | undefined;
  readonly init: Code;
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
