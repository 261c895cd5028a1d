/**
 * The imports of a generated module, and the names of everything at its top level. An import keeps
 * the name that it has in the source unless that name is taken.
 */
import * as path from "node:path";
import type { External, SourceModel } from "../model.js";
import { isIdentifier, type Scope } from "./names.js";

interface Import {
  readonly module: string;
  readonly attributes: string | undefined;
  readonly imported: string;
  readonly local: string;
  typeOnly: boolean;
}

export class Imports {
  private readonly imports = new Map<string, Import>();

  constructor(
    private readonly source: SourceModel,
    private readonly scope: Scope,
  ) {}

  /** The local name of something that a code refers to. */
  external(external: External): string {
    const { name, file, from, typeOnly } = external;
    const [module, imported, attributes] =
      from.kind === "export"
        ? [this.specifierOf(file), from.exported, undefined]
        : [this.rebase(from.module, file), from.imported, from.attributes];
    return this.add({ module, imported, attributes, typeOnly, name });
  }

  /** The local name of a type that a source exports. */
  type(file: string, exported: string, name: string): string {
    const module = this.specifierOf(file);
    return this.add({ module, imported: exported, attributes: undefined, typeOnly: true, name });
  }

  private add(wanted: Omit<Import, "local"> & { readonly name: string }): string {
    const { name, ...rest } = wanted;
    const key = JSON.stringify([rest.module, rest.imported, rest.attributes]);
    const known = this.imports.get(key);
    if (known !== undefined) {
      known.typeOnly &&= rest.typeOnly;
      return known.local;
    }
    const made = { ...rest, local: this.scope.take(name) };
    this.imports.set(key, made);
    return made.local;
  }

  /** How this module imports a source: as the project writes the ends of specifiers. */
  private specifierOf(file: string): string {
    if (file === this.source.file) return this.source.specifier;
    const ending = /\.[cm]?[jt]sx?$/.exec(this.source.specifier)?.[0];
    const own = /\.([cm]?)tsx?$/.exec(file);
    const bare = file.replace(/(\.d)?\.[cm]?tsx?$/, "");
    const kind = own?.[1] ?? "";
    const end = ending === undefined ? "" : ending.includes("t") ? own?.[0] : `.${kind}js`;
    return this.relative(bare) + (end ?? "");
  }

  /** A relative specifier of another source, as this module must write it. */
  private rebase(module: string, file: string): string {
    if (!module.startsWith(".") || file === this.source.file) return module;
    return this.relative(path.join(path.dirname(file), module));
  }

  private relative(target: string): string {
    const found = path.relative(path.dirname(this.source.file), target).split(path.sep).join("/");
    return found.startsWith("../") ? found : `./${found}`;
  }

  /** The local name of something that a package exports. */
  named(module: string, imported: string, typeOnly: boolean): string {
    return this.add({ module, imported, attributes: undefined, typeOnly, name: imported });
  }

  /** The local name of a whole module of a package. */
  namespace(module: string, name: string): string {
    return this.add({ module, imported: "*", attributes: undefined, typeOnly: false, name });
  }

  /** All import statements: packages before files. */
  print(): string {
    const groups = new Map<string, Import[]>();
    for (const made of this.imports.values()) {
      const key = `${rank(made)} ${made.attributes ?? ""}`;
      groups.set(key, [...(groups.get(key) ?? []), made]);
    }
    return [...groups.keys()]
      .sort()
      .flatMap((key) => statements(groups.get(key) ?? []))
      .join("\n");
  }
}

/** Node's own modules, then packages, then files. */
function rank({ module }: Import): string {
  return `${module.startsWith("node:") ? 0 : module.startsWith(".") ? 2 : 1} ${module}`;
}

/** One group has one module; a default, a namespace, and names each need a statement of their own. */
function statements(group: readonly Import[]): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const attributes = first.attributes === undefined ? "" : ` ${first.attributes}`;
  const from = `from ${JSON.stringify(first.module)}${attributes};`;
  const whole = group.filter(({ imported }) => imported === "default" || imported === "*");
  const named = group
    .filter((each) => !whole.includes(each))
    .sort(
      (a, b) => compare(a.local.toLowerCase(), b.local.toLowerCase()) || compare(a.local, b.local),
    );
  const types = named.every(({ typeOnly }) => typeOnly);
  const names = named.map(({ imported, local, typeOnly }) => {
    const exported = isIdentifier(imported) ? imported : JSON.stringify(imported);
    const renamed = imported === local ? local : `${exported} as ${local}`;
    return typeOnly && !types ? `type ${renamed}` : renamed;
  });
  return [
    ...whole.map(({ imported, local, typeOnly }) => {
      const word = typeOnly ? "import type" : "import";
      return `${word} ${imported === "*" ? `* as ${local}` : local} ${from}`;
    }),
    ...(names.length === 0
      ? []
      : [`${types ? "import type" : "import"} { ${names.join(", ")} } ${from}`]),
  ];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
