/** The bytes of a file or of a stream, in slices of which one at a time is in memory. */
import { Stream } from "effect"
import { createReadStream } from "node:fs"

export const sliceSize = 65_536

/** Slices of at most `sliceSize`. */
export const slices = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  bytes.length <= sliceSize
    ? Stream.succeed(bytes)
    : Stream.range(0, Math.ceil(bytes.length / sliceSize) - 1).pipe(
        Stream.map((i) => bytes.subarray(i * sliceSize, (i + 1) * sliceSize))
      )

const reasons: Readonly<Partial<Record<string, string>>> = {
  ENOENT: "there is no such file",
  EISDIR: "it is a directory",
  EACCES: "reading it is not permitted"
}

/** What is wrong with a file, in words. */
export const problemOf = (cause: unknown): string =>
  reasons[cause instanceof Error && "code" in cause ? String(cause.code) : ""] ?? String(cause)

/** The slices of a file. */
export const bytesOf = <E>(path: string, refused: (problem: string) => E): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() =>
    Stream.fromAsyncIterable<Uint8Array, E>(createReadStream(path, { highWaterMark: sliceSize }), (cause) =>
      refused(problemOf(cause))
    )
  )
