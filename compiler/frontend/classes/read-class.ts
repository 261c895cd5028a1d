/**
 * Reads a decorated class: its actions with their undos, its sagas, its own name and export. It does
 * not look into method bodies; that is `lower-method.ts`.
 */
import * as say from "../../diagnostics/catalogue/class.js";
import { nearest } from "../../diagnostics/nearest.js";
import type { ActionModel, UndoModel } from "../../model.js";
import { checkUndo } from "./check-undo.js";
import { checkClass, isAbstract } from "./class-shape.js";
import { spanOf, type Context, type Marker } from "../context.js";
import { decorationsOf, type Decoration } from "./decorators.js";
import {
  ALL,
  checkOptions,
  invalid,
  property,
  readDuration,
  readRetry,
  readStatic,
  type Static,
} from "./options.js";
import { readErrors } from "./read-errors.js";
import { readOutput, type OutputSchema } from "./read-output.js";
import { methodTypes, type MethodTypes, type Reported } from "../types/stored.js";
import { checkMethod, nameText } from "./read-method.js";
import ts from "../typescript.cjs";

export interface SagaMethod {
  readonly method: string;
  readonly declaration: ts.MethodDeclaration;
  /** What `@saga({ name })` says. */
  readonly name: string | undefined;
  readonly decorator: ts.Decorator;
  readonly types: MethodTypes;
}

/** A class with the members that steno knows. */
export interface ClassInfo {
  readonly declaration: ts.ClassDeclaration;
  readonly name: string;
  readonly exportedAs: string;
  readonly type: ts.Type;
  readonly actions: ReadonlyMap<string, ActionModel>;
  readonly sagas: ReadonlyMap<string, SagaMethod>;
  /** All decorated names, those with an error included: a call of one of these is no further error. */
  readonly marked: ReadonlyMap<string, Marker>;
  /** False: values of some method cannot be stored, and no saga of it has a model. */
  readonly sound: boolean;
}

interface Marked {
  readonly name: string;
  readonly marker: Marker;
  readonly declaration: ts.MethodDeclaration;
  readonly decoration: Decoration;
  readonly options: Static | undefined;
  /** `@undo`: the action that it names. */
  readonly undoes: string | undefined;
  readonly sound: boolean;
}

/** A decorated member that the runtime could not call, which was reported. */
interface Unfit {
  readonly name: string;
  readonly marker: Marker;
  readonly undoes: string | undefined;
}

/** Reads a class; the answer is the same object each time, and faults are reported once. */
export class ClassReader {
  private readonly classes = new Map<ts.Symbol, ClassInfo | undefined>();
  private readonly members = new Map<ts.ClassElement, Marked | undefined>();
  private readonly unfit = new Map<ts.ClassElement, Unfit>();
  /** Classes with a method whose values cannot be stored. */
  private readonly unsound = new Set<ts.ClassDeclaration>();
  private readonly notStorable: Reported = new Set();

  constructor(private readonly context: Context) {}

  /** Undefined: the class has no decorated member, or cannot be used at all. */
  read(declaration: ts.ClassDeclaration): ClassInfo | undefined {
    const symbol = this.context.checker.getSymbolAtLocation(declaration.name ?? declaration);
    const key = symbol ?? this.context.checker.getTypeAtLocation(declaration).symbol;
    if (!this.classes.has(key)) this.classes.set(key, this.readNew(declaration));
    return this.classes.get(key);
  }

  /** Whether the class itself declares a decorated member. */
  isMarked(declaration: ts.ClassLikeDeclaration): boolean {
    return declaration.members.some((member) => decorationsOf(this.context, member).length > 0);
  }

  private readNew(declaration: ts.ClassDeclaration): ClassInfo | undefined {
    const marked = new Map<string, Marked>();
    const unfit = new Map<string, Unfit>();
    for (const each of this.chain(declaration)) {
      for (const member of each.members) {
        const found = this.readMember(member);
        const broken = this.unfit.get(member);
        if (found !== undefined && !marked.has(found.name)) marked.set(found.name, found);
        if (broken !== undefined && !marked.has(broken.name)) unfit.set(broken.name, broken);
      }
    }
    if (marked.size === 0) return undefined;
    const exportedAs = checkClass(this.context, declaration);
    if (exportedAs === undefined) return undefined;
    const type = this.context.checker.getTypeAtLocation(declaration);
    const all = [...marked.values()];
    const sagas = all.filter((member) => member.marker === "saga" && member.sound);
    const actions = this.readActions(declaration, type, all, [...unfit.values()]);
    return {
      declaration,
      name: declaration.name?.text ?? "default",
      exportedAs,
      type,
      marked: new Map([...unfit.values(), ...all].map(({ name, marker }) => [name, marker])),
      actions,
      sagas: new Map(sagas.map((member) => [member.name, this.readSaga(declaration, member)])),
      sound: !this.unsound.has(declaration),
    };
  }

  /** The class and those it extends, as far as they are declared in source. */
  private chain(declaration: ts.ClassDeclaration): ts.ClassDeclaration[] {
    const chain: ts.ClassDeclaration[] = [];
    let next: ts.ClassDeclaration | undefined = declaration;
    while (next !== undefined && !chain.includes(next)) {
      chain.push(next);
      const heritage: ts.HeritageClause | undefined = next.heritageClauses?.find(
        (clause) => clause.token === ts.SyntaxKind.ExtendsKeyword,
      );
      const base: ts.ExpressionWithTypeArguments | undefined = heritage?.types[0];
      const symbol: ts.Symbol | undefined =
        base && this.context.checker.getTypeAtLocation(base).getSymbol();
      next = symbol?.declarations?.find(ts.isClassDeclaration);
    }
    return chain;
  }

  private readMember(member: ts.ClassElement): Marked | undefined {
    if (!this.members.has(member)) this.members.set(member, this.readNewMember(member));
    return this.members.get(member);
  }

  private readNewMember(member: ts.ClassElement): Marked | undefined {
    const [decoration, second] = decorationsOf(this.context, member);
    if (decoration === undefined) return undefined;
    const { marker } = decoration;
    const name = member.name === undefined ? "" : nameText(member.name);
    if (second !== undefined) {
      const at = spanOf(second.decorator);
      this.context.report(say.markerTwice({ at, name, first: marker, second: second.marker }));
    }
    if (decoration.indirect) {
      this.context.report(say.decoratorIndirect({ at: spanOf(decoration.decorator), marker }));
    }
    const shaped = checkMethod(this.context, member, marker, name);
    if (!shaped || !ts.isMethodDeclaration(member)) {
      const [target] = marker === "undo" ? (decoration.args ?? []) : [];
      const undoes = target && ts.isStringLiteralLike(target) ? target.text : undefined;
      this.unfit.set(member, { name, marker, undoes });
      return undefined;
    }
    const { options, undoes, sound } = this.readArguments(decoration);
    const whole = sound && !decoration.indirect && second === undefined;
    return { name, marker, declaration: member, decoration, options, undoes, sound: whole };
  }

  /** What stands in the parentheses of a decorator. */
  private readArguments({ marker, decorator, args, indirect }: Decoration): {
    readonly options: Static | undefined;
    readonly undoes: string | undefined;
    readonly sound: boolean;
  } {
    if (indirect) return { options: undefined, undoes: undefined, sound: false };
    const [first, more] = args ?? [];
    const written = marker === "undo" ? more : first;
    const options = written && readStatic(this.context, ALL, written);
    const fine =
      written === undefined ||
      (options !== undefined && checkOptions(this.context, marker, options));
    if (marker !== "undo") return { options, undoes: undefined, sound: fine };
    const what = "the name of the action";
    const target = first && readStatic(this.context, what, first);
    if (typeof target?.value === "string") return { options, undoes: target.value, sound: fine };
    if (first === undefined || target !== undefined) {
      const node = first ?? decorator.expression;
      invalid(this.context, { node, value: undefined }, what, 'given, as in @undo("bookRoom")');
    }
    return { options, undoes: undefined, sound: false };
  }

  private readActions(
    declaration: ts.ClassDeclaration,
    type: ts.Type,
    all: readonly Marked[],
    unfit: readonly Unfit[],
  ): Map<string, ActionModel> {
    const actions = new Map(
      all.filter((member) => member.marker === "action").map((member) => [member.name, member]),
    );
    const undos = new Map<string, Marked>();
    for (const undo of all.filter((member) => member.marker === "undo")) {
      if (undo.undoes === undefined || unfit.some(({ name }) => name === undo.undoes)) continue;
      const action = actions.get(undo.undoes);
      if (this.checkPair(type, undo, action, [...actions.keys()], undos.get(undo.undoes))) {
        undos.set(undo.undoes, undo);
      }
    }
    const abstract = isAbstract(declaration);
    const models = new Map<string, ActionModel>();
    for (const action of actions.values()) {
      const undo = undos.get(action.name);
      const none = hasNoUndo(action);
      const named = [...all, ...unfit].some(
        ({ undoes }) =>
          undoes !== undefined &&
          (undoes === action.name ||
            (!actions.has(undoes) && nearest(undoes, [...actions.keys()]) === action.name)),
      );
      if (!none && !named && !abstract && action.sound) {
        const at = spanOf(action.declaration.name);
        this.context.report(say.undoMissing({ at, name: action.name }));
      }
      const model = undo === undefined ? undefined : this.undoModel(undo);
      models.set(action.name, this.actionModel(declaration, action, model ?? "none"));
    }
    return models;
  }

  /** Checks an undo against its action; false: it is not to be used. */
  private checkPair(
    type: ts.Type,
    undo: Marked,
    action: Marked | undefined,
    actions: readonly string[],
    other: Marked | undefined,
  ): boolean {
    const { checker, report } = this.context;
    const at = spanOf(undo.declaration.name);
    const target = undo.undoes ?? "";
    if (undo.name === "none") report(say.undoNamedNone({ at, name: undo.name }));
    if (action === undefined) {
      const near = nearest(target, actions);
      const where = undo.decoration.args?.[0];
      report(
        say.undoOfNoAction({
          at: where ? spanOf(where) : at,
          name: undo.name,
          action: target,
          near,
          fix: where && near ? [{ span: spanOf(where), text: JSON.stringify(near) }] : undefined,
        }),
      );
      return false;
    }
    const first = (
      text: string,
      node: ts.Node,
    ): { span: ReturnType<typeof spanOf>; text: string } => ({
      span: spanOf(node),
      text,
    });
    if (other !== undefined) {
      const label = first("the first one", other.declaration.name);
      report(say.undoTwice({ at, name: undo.name, action: target, other: label }));
      return false;
    }
    if (hasNoUndo(action)) {
      const pivot = property(action.options, "pivot");
      const says = pivot === undefined ? 'undo: "none"' : "pivot: true";
      const label = first(
        "here",
        (pivot ?? property(action.options, "undo"))?.node ?? action.declaration.name,
      );
      report(say.undoOfNone({ at, name: undo.name, action: target, says, other: label }));
      return false;
    }
    const signature = (name: string, node: ts.Node): ts.Signature | undefined => {
      const symbol = checker.getPropertyOfType(type, name);
      return symbol && checker.getTypeOfSymbolAtLocation(symbol, node).getCallSignatures()[0];
    };
    const actionSignature = signature(action.name, action.declaration);
    const undoSignature = signature(undo.name, undo.declaration);
    if (actionSignature === undefined || undoSignature === undefined) return true;
    return checkUndo(this.context, {
      action: action.declaration,
      undo: undo.declaration,
      actionSignature,
      undoSignature,
      started: property(undo.options, "when")?.value === "started",
    });
  }

  private typesOf(
    owner: ts.ClassDeclaration,
    { declaration, marker, name }: Marked,
    schema?: OutputSchema,
  ): MethodTypes {
    const method = { owner, declaration, marker, name, schema };
    const { types, sound } = methodTypes(this.context, method, this.notStorable);
    if (!sound) this.unsound.add(owner);
    return types;
  }

  private actionModel(
    owner: ts.ClassDeclaration,
    action: Marked,
    undo: ActionModel["undo"],
  ): ActionModel {
    const schema = readOutput(this.context, action.options);
    return {
      ...this.typesOf(owner, action, schema),
      schema: schema?.model,
      method: action.name,
      span: spanOf(action.declaration.name),
      pivot: property(action.options, "pivot")?.value === true,
      onFailure: property(action.options, "onFailure")?.value === "pause" ? "pause" : undefined,
      errors: readErrors(this.context, action.options),
      retry: readRetry(this.context, action.options, "action"),
      timeoutMs: readDuration(this.context, "timeout", property(action.options, "timeout"), 1),
      undo,
    };
  }

  private undoModel(undo: Marked): UndoModel {
    return {
      method: undo.name,
      span: spanOf(undo.declaration.name),
      when: property(undo.options, "when")?.value === "started" ? "started" : undefined,
      retry: readRetry(this.context, undo.options, "undo"),
      timeoutMs: readDuration(this.context, "timeout", property(undo.options, "timeout"), 1),
    };
  }

  private readSaga(owner: ts.ClassDeclaration, member: Marked): SagaMethod {
    const name = property(member.options, "name");
    if (name !== undefined && (typeof name.value !== "string" || !/^\S+$/.test(name.value))) {
      const must = 'text without spaces, such as "Rooms.bookRoom"';
      this.context.report(say.optionInvalid({ at: spanOf(name.node), what: "name", must }));
    }
    return {
      method: member.name,
      declaration: member.declaration,
      name: typeof name?.value === "string" ? name.value : undefined,
      decorator: member.decoration.decorator,
      types: this.typesOf(owner, member),
    };
  }
}

/** Whether an action says that it has no undo: a pivot is never undone. */
function hasNoUndo({ options }: Marked): boolean {
  return property(options, "undo")?.value === "none" || property(options, "pivot")?.value === true;
}
