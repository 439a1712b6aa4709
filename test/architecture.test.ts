/**
 * The rules of this code base that imports and names can show, so that they hold without anyone remembering them. Every
 * violation is a line that says where it is and what to do about it. The reasons are in AGENTS.md and docs/adr.
 */
import { existsSync, globSync, readFileSync } from "node:fs"
import { basename, join, posix } from "node:path"
import { expect, it } from "vitest"

/** The areas of core, from the ground up: an area imports itself and those before it. */
const areas = "workspace event job channel account contact chat outbox campaign stats memory forecast testing".split(
  " "
)
const rootFiles = ["Accepted.ts", "EngineLife.ts", "Options.ts", "Overture.ts", "Promises.ts", "Services.ts"]
/** Over every area, so outside the rule of nouns, ports and services. */
const compositions = ["memory", "testing"]
const portName = /^(\w+Store|\w+Source|\w+Transport|Channel|Transaction|Vault|ImageResizer|EgressProbe)\.ts$/
/** Files that may exceed the limit, each with its reason. */
const longFiles: Record<string, string> = {}
const maxLines = 350
const vendors = /messenger|instagram|whatsapp|telegram|bluesky|facebook|msgflash|postproxy|flownally|n8n/i
const ambient: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/, "take `now` as an argument, or read Clock"],
  [/\bMath\.random\b|\bcrypto\.(randomUUID|getRandomValues)\b/, "take a seed or a generator, or read Random or Ids"],
  [/\b(setTimeout|setInterval|setImmediate)\b/, "use Effect.sleep or Schedule"],
  [/\bprocess\.\w|\bimport\.meta\.env\b/, "take configuration as an argument"],
  [/(?<![.\w])fetch\(|\bconsole\.\w/, "I/O belongs to an adapter; logging is Effect.log"]
]

interface Source {
  readonly path: string
  readonly name: string
  readonly lines: number
  /** Without comments. */
  readonly code: string
  readonly imports: ReadonlyArray<{
    readonly from: string
    readonly names: ReadonlyArray<string>
    readonly isType: boolean
  }>
}

const withoutComments = (text: string) =>
  text.replace(/(^|[\s({,;])\/\*[\s\S]*?\*\//g, "$1").replace(/(^|\s)\/\/.*$/gm, "$1")

const importsOf = (code: string): Source["imports"] =>
  Array.from(
    code.matchAll(
      /^\s*(?:import|export)\b([^"'`;=]*?)\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\("([^"]+)"\)/gm
    ),
    ([, clause = "", from, bare, dynamic]) => ({
      from: from ?? bare ?? dynamic ?? "",
      isType: clause.trimStart().startsWith("type "),
      names:
        /\{([^}]*)\}/
          .exec(clause)?.[1]
          ?.split(",")
          .map((name) => name.trim().replace(/^type\s+|\s+as\s.*$/g, "")) ?? []
    })
  )

const sources = (pattern: string): ReadonlyArray<Source> =>
  globSync(pattern)
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => {
      const text = readFileSync(path, "utf8")
      const code = withoutComments(text)
      return { path, name: basename(path), lines: text.trimEnd().split("\n").length, code, imports: importsOf(code) }
    })

const all = sources("packages/*/src/**/*.ts")
const of = (name: string) => all.filter(({ path }) => path.startsWith(`packages/${name}/`))
const core = of("core")
const areaOf = (path: string) => posix.relative("packages/core/src", path).split("/").slice(0, -1)[0] ?? ""
const isRelative = (from: string) => from.startsWith(".")
/** The files of core that a file of core imports; `values` leaves out those of which it imports types alone. */
const targets = ({ imports, path }: Source, values = false) =>
  imports
    .filter(({ from, isType }) => isRelative(from) && !(values && isType))
    .map(({ from }) => posix.join(posix.dirname(path), from))

const isService = ({ code, name }: Source) =>
  new RegExp(`export class ${name.slice(0, -3)} extends Context\\.Service\\b[\\s\\S]*?static readonly layer`).test(code)
const kind = (source: Source) => (isService(source) ? "service" : portName.test(source.name) ? "port" : "noun")
const kinds = new Map(core.map((source) => [source.path, kind(source)]))

/** Whether a module of `effect` is tagged stable, read from the installed version. */
const isStable = (module: string): boolean => {
  const file = join("node_modules/effect/src", `${module}.ts`)
  if (!existsSync(file)) return /^[a-z]/.test(module) // pipe, flow, identity and their like
  const text = readFileSync(file, "utf8")
  return (
    (text.match(/@stability stable/g)?.length ?? 0) >= (text.match(/@stability (unstable|experimental)/g)?.length ?? 0)
  )
}

const rule = (title: string, violations: () => ReadonlyArray<string>) =>
  it(title, () => expect(violations().join("\n"), title).toBe(""))

rule("core imports only stable effect, liquidjs and its own files", () =>
  core.flatMap(({ imports, path }) =>
    imports.flatMap(({ from, names }) => {
      if (from === "liquidjs") return []
      if (from === "effect" || /^effect\/[A-Z]\w*$/.test(from)) {
        const modules = from === "effect" ? names : [from.slice("effect/".length)]
        const unstable = modules.filter((module) => module !== "" && !isStable(module))
        return unstable.map(
          (module) => `${path}: effect's ${module} is unstable; use it in adapters or http, behind a port`
        )
      }
      if (!isRelative(from))
        return [`${path}: imports ${from}; core is pure, so define a port and put this in an adapter`]
      if (!from.endsWith(".ts")) return [`${path}: write ${from} with its ending .ts`]
      return posix.join(posix.dirname(path), from).startsWith("packages/core/src/")
        ? []
        : [`${path}: ${from} leaves packages/core/src`]
    })
  )
)

rule("core has no hidden clock, randomness, configuration or I/O", () =>
  core.flatMap(({ code, path }) =>
    ambient.flatMap(([pattern, cure]) => {
      const found = pattern.exec(code)
      return found === null ? [] : [`${path}: ${found[0]}; ${cure}`]
    })
  )
)

rule("core names no channel and no vendor", () =>
  core.flatMap(({ code, path }) => {
    const found = vendors.exec(code)
    return found === null ? [] : [`${path}: ${found[0]}; ask a capability or policy of the channel instead of its name`]
  })
)

rule("areas import downwards", () =>
  core.flatMap((source) => {
    const area = areaOf(source.path)
    if (area === "") {
      return rootFiles.includes(source.name) ? [] : [`${source.path}: move it into an area (${areas.join(", ")})`]
    }
    if (!areas.includes(area)) return [`${source.path}: ${area} is not an area; add it to this test where it belongs`]
    return targets(source).flatMap((target) => {
      const other = areaOf(target)
      if (other === "") return [`${source.path}: imports ${target}; only hosts import the root files`]
      return areas.indexOf(other) <= areas.indexOf(area)
        ? []
        : [`${source.path}: imports ${target}; ${other} lies above ${area}: let it register what must run here`]
    })
  })
)

rule("nouns import nouns, ports import no services", () =>
  core.flatMap((source) => {
    const area = areaOf(source.path)
    if (area === "" || compositions.includes(area)) return []
    const self = kinds.get(source.path)
    if (
      self === "noun" &&
      new RegExp(`class ${source.name.slice(0, -3)} extends Context\\.Service\\b`).test(source.code)
    ) {
      return [
        `${source.path}: a Context.Service is a port (name it …Store or …Source) or a service (give it a static layer)`
      ]
    }
    // A pure rule may name the shapes of the rows that a port locks for it, never call the port.
    return targets(source, self === "noun").flatMap((target) => {
      const other = kinds.get(target) ?? "noun"
      const allowed = self === "service" || other === "noun" || (self === "port" && other === "port")
      return allowed
        ? []
        : [
            `${source.path}: a ${self} imports the ${other} ${target}; move the rule into a noun, or the call into a service`
          ]
    })
  })
)

rule("packages import downwards: core, adapters, http", () =>
  ["adapters", "http", "n8n-nodes"].flatMap((name) =>
    of(name).flatMap(({ imports, path }) =>
      imports.flatMap(({ from }) => {
        const inside = posix.join(posix.dirname(path), from).startsWith(`packages/${name}/`)
        if (isRelative(from))
          return inside ? [] : [`${path}: ${from} leaves the package; import it by its package's name`]
        const own = /^@overture\/(\w+)/.exec(from)?.[1]
        if (name === "n8n-nodes") {
          const allowed = from === "n8n-workflow" || from === "node:crypto"
          return allowed ? [] : [`${path}: imports ${from}; verified n8n nodes have no dependency: speak HTTP`]
        }
        const allowed = own === undefined || own === "core" || (name === "http" && own === "adapters")
        return allowed ? [] : [`${path}: imports ${from}, which lies above ${name}`]
      })
    )
  )
)

rule("n8n nodes have no runtime dependency", () => {
  const manifest = JSON.parse(readFileSync("packages/n8n-nodes/package.json", "utf8")) as { dependencies?: object }
  const names = Object.keys(manifest.dependencies ?? {})
  return names.map((name) => `packages/n8n-nodes/package.json: remove the dependency ${name}`)
})

rule("nobody imports through our own index.ts, and it holds no code", () =>
  all.flatMap(({ code, imports, name, path }) => [
    ...imports
      .filter(({ from }) => /(^|\/)index(\.ts)?$|^\.\.?$|^@overture\/[\w-]+$/.test(from))
      .map(({ from }) => `${path}: import the file that defines it, not ${from}`),
    ...(name === "index.ts" && code.replace(/export (type )?(\*( as \w+)?|\{[^}]*\})\s*from "[^"]+"/g, "").trim() !== ""
      ? [`${path}: only \`export … from\`; move the code into a file with a name`]
      : [])
  ])
)

rule("files are named for what they define", () =>
  all
    .filter(({ path }) => /\/(utils?|common|helpers?|misc|shared|types|constants)(\.ts|\/)/i.test(path))
    .map(({ path }) => `${path}: name it for the concept it defines, or move each part beside its use`)
)

rule(`files have at most ${maxLines} lines`, () => [
  ...all
    .filter(({ lines, path }) => lines > maxLines && longFiles[path] === undefined)
    .map(({ lines, path }) => `${path}: ${lines} lines; split it by concept, or list it in longFiles with a reason`),
  ...Object.keys(longFiles)
    .filter((path) => (all.find((source) => source.path === path)?.lines ?? 0) <= maxLines)
    .map((path) => `${path}: no longer long; remove it from longFiles`)
])

rule("the glossary names what exists", () => {
  const exported = new Map<string, Array<string>>()
  for (const { code, path } of core.filter((source) => !compositions.includes(areaOf(source.path)))) {
    const definitions = /\bexport (?:abstract )?(?:class|const|type|interface|function) (\w+)|\bidentifier: "(\w+)"/g
    for (const [, name, identifier] of code.matchAll(definitions)) {
      const key = name ?? identifier ?? ""
      exported.set(key, [...(exported.get(key) ?? []), posix.relative("packages/core/src", path)])
    }
  }
  const rows = readFileSync("docs/glossary.md", "utf8").matchAll(/^\| `(\w+)` \|[^|]*\| ([^|]*?) \|/gm)
  return Array.from(rows).flatMap(([, name = "", cell = ""]) => {
    const files = exported.get(name) ?? []
    const where = cell.replaceAll("`", "")
    if (where === "later") {
      return files.length === 0 ? [] : [`docs/glossary.md: ${name} exists now: write \`${files[0]}\` in place of later`]
    }
    if (files.includes(where)) return []
    return [
      `docs/glossary.md: ${where} does not export ${name}` + (files.length === 0 ? "" : `; ${files.join(", ")} does`)
    ]
  })
})
