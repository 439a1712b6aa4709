/** The bytes of media in memory, for tests and examples: gone with the process, and without URLs. */
import { Effect, Layer, Stream } from "effect"
import { checked, type MediaBytes, type MediaKey, MediaMissing, MediaStore, MediaTooLarge } from "../chat/MediaStore.ts"

const keyOf = ({ id, workspace }: MediaKey): string => `${workspace}/${id}`

/** A fresh store; `digest` makes the SHA-256 of bytes in hexadecimal digits, which core has no means to. */
export const layer = (digest: (bytes: Uint8Array) => string): Layer.Layer<MediaStore> =>
  Layer.sync(MediaStore, () => {
    const files = new Map<string, Uint8Array>()
    return MediaStore.of({
      put: (key, content, { maxBytes }) =>
        Effect.gen(function* () {
          yield* checked("MemoryMedia.put", key)
          const chunks: Array<Uint8Array> = []
          let length = 0
          yield* Stream.runForEach(content, (chunk) => {
            length += chunk.length
            chunks.push(chunk)
            return length > maxBytes ? Effect.fail(new MediaTooLarge({ maxBytes })) : Effect.void
          })
          const bytes = new Uint8Array(length)
          let at = 0
          for (const chunk of chunks) {
            bytes.set(chunk, at)
            at += chunk.length
          }
          files.set(keyOf(key), bytes)
          return { bytes: length, sha256: digest(bytes) }
        }),
      get: (key, range) =>
        Effect.flatMap(checked("MemoryMedia.get", key), (): Effect.Effect<MediaBytes, MediaMissing> => {
          const bytes = files.get(keyOf(key))
          if (bytes === undefined) return Effect.fail(new MediaMissing({ media: key.id }))
          const part = range === undefined ? bytes : bytes.subarray(range.start, range.end)
          return Effect.succeed({ bytes: bytes.length, content: Stream.make(part.slice()) })
        }),
      delete: (key) => Effect.map(checked("MemoryMedia.delete", key), () => void files.delete(keyOf(key))),
      url: (key) => Effect.as(checked("MemoryMedia.url", key), null)
    })
  })
