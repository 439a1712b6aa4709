/**
 * Media in a folder: `<workspace>/<last two digits of the id>/<id>`. A file is written beside its place, brought to the
 * disk and renamed, so a reader, a crash or a lost power line finds it whole or not at all. Names come from ids alone. The
 * folder may be shared by several processes, also over a network file system with atomic renames.
 */
import {
  checked,
  type MediaKey,
  MediaMissing,
  MediaStore,
  MediaStoreError,
  MediaTooLarge
} from "@overture/core/chat/MediaStore"
import { Effect, Layer, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises"
import path from "node:path"
import * as SignedUrl from "./SignedUrl.ts"

export interface Options {
  /** Made where it is missing, for its owner alone. */
  readonly root: string
  /** How the host serves the files itself; without it they have no URLs. */
  readonly urls?: SignedUrl.SignedUrls | undefined
}

/** What may pass by itself: too many open files, a file that another program holds. */
const passing = new Set(["EMFILE", "ENFILE", "EAGAIN", "EBUSY"])

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

/** One step on the disk; it is waited for, as it would go on anyway. */
const step = <A>(operation: string, use: () => Promise<A>): Effect.Effect<A, MediaStoreError> =>
  Effect.uninterruptible(
    Effect.tryPromise({
      try: use,
      catch: (cause) =>
        new MediaStoreError({
          operation: `FileMedia.${operation}`,
          retryable: cause instanceof Error && "code" in cause && passing.has(String(cause.code)),
          cause
        })
    })
  )

/** Brings the names in a folder to the disk. Windows has no such thing. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes a folder for its owner alone, and brings it to the disk with those it made on the way. */
const makeFolder = async (folder: string): Promise<void> => {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) await syncFolder(path.dirname(made))
}

const writeAll = async (handle: FileHandle, chunk: Uint8Array): Promise<void> => {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten
  }
}

export const make = ({ root, urls }: Options): MediaStore["Service"] => {
  const placeOf = (operation: string, key: MediaKey) =>
    Effect.map(checked(`FileMedia.${operation}`, key), ({ id, workspace }) => ({
      folder: path.join(root, workspace, id.slice(-2)),
      name: id
    }))

  const partOf = (name: string) => `.${name}.`

  const write = <E, R>(handle: FileHandle, content: Stream.Stream<Uint8Array, E, R>, maxBytes: number) =>
    Effect.gen(function* () {
      const hash = createHash("sha256")
      let bytes = 0
      yield* Stream.runForEach(content, (chunk): Effect.Effect<void, MediaTooLarge | MediaStoreError> => {
        bytes += chunk.length
        if (bytes > maxBytes) return Effect.fail(new MediaTooLarge({ maxBytes }))
        hash.update(chunk)
        return step("put", () => writeAll(handle, chunk))
      })
      yield* step("put", () => handle.sync())
      return { bytes, sha256: hash.digest("hex") }
    })

  return MediaStore.of({
    put: <E, R>(key: MediaKey, content: Stream.Stream<Uint8Array, E, R>, { maxBytes }: { readonly maxBytes: number }) =>
      Effect.gen(function* () {
        const { folder, name } = yield* placeOf("put", key)
        yield* step("put", () => makeFolder(folder))
        const part = path.join(folder, `${partOf(name)}${randomBytes(6).toString("hex")}`)
        return yield* Effect.acquireUseRelease(
          step("put", () => open(part, "wx", 0o600)),
          (handle) =>
            Effect.tap(write(handle, content, maxBytes), () =>
              step("put", async () => {
                await handle.close()
                await rename(part, path.join(folder, name))
                await syncFolder(folder)
              })
            ),
          // Nothing is left of what did not come to its place; once it did, there is nothing under this name.
          (handle) =>
            Effect.promise(async () => {
              await handle.close().catch(() => undefined)
              await unlink(part).catch(() => undefined)
            })
        )
      }),
    get: (key, range) =>
      Effect.gen(function* () {
        const { folder, name } = yield* placeOf("get", key)
        const file = path.join(folder, name)
        const { size } = yield* Effect.mapError(
          step("get", () => stat(file)),
          (error) => (isMissing(error.cause) ? new MediaMissing({ media: name }) : error)
        )
        const start = range?.start ?? 0
        const end = Math.min(range?.end ?? size, size)
        const content =
          start >= end
            ? Stream.empty
            : Stream.suspend(() =>
                Stream.fromAsyncIterable<Uint8Array, MediaStoreError>(
                  createReadStream(file, { start, end: end - 1 }),
                  (cause) => new MediaStoreError({ operation: "FileMedia.get", retryable: false, cause })
                )
              )
        return { bytes: size, content }
      }),
    delete: (key) =>
      Effect.gen(function* () {
        const { folder, name } = yield* placeOf("delete", key)
        yield* step("delete", async () => {
          const names = await readdir(folder).catch((cause: unknown) => {
            if (isMissing(cause)) return []
            throw cause
          })
          const own = names.filter((one) => one === name || one.startsWith(partOf(name)))
          if (own.length === 0) return
          for (const one of own) {
            await unlink(path.join(folder, one)).catch((cause: unknown) => {
              if (!isMissing(cause)) throw cause
            })
          }
          await syncFolder(folder)
        })
      }),
    url: (key, { until }) =>
      Effect.map(checked("FileMedia.url", key), () => (urls === undefined ? null : SignedUrl.sign(urls, key, until)))
  })
}

export const layer = (options: Options): Layer.Layer<MediaStore> => Layer.sync(MediaStore, () => make(options))
