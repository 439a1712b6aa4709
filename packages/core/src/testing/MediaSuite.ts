/**
 * The promises of the `MediaStore` port as cases that any store must pass, each on a store of its own that is empty. They
 * know no test runner.
 */
import { Effect, Stream } from "effect"
import { MediaStore, type MediaKey } from "../chat/MediaStore.ts"
import * as Seed from "../workspace/Seed.ts"
import * as Builders from "./Builders.ts"
import * as Expect from "./Expect.ts"

/** One promise of the port. It dies or fails where it is broken. */
export interface MediaCase {
  readonly name: string
  readonly run: Effect.Effect<void, unknown, MediaStore>
}

const mediaCase = (
  name: string,
  body: () => Generator<Effect.Effect<unknown, unknown, MediaStore>, void, never>
): MediaCase => ({ name, run: Effect.gen(body) })

const encoder = new TextEncoder()
const mime = "application/octet-stream"
const options = { mime, maxBytes: 2 ** 24 }

/** Bytes that repeat nowhere, so that a piece out of its place is seen. */
const bytesOf = (seed: string, length: number): Uint8Array => {
  const random = Seed.random(seed)
  return Uint8Array.from({ length }, () => random() * 256)
}

/** The bytes in pieces of a size that fits nothing. */
const inPieces = (bytes: Uint8Array, size = 7_001): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  )

const join = (chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => chunks.flatMap((chunk) => [...chunk])

const read = (key: MediaKey, range?: { readonly start: number; readonly end?: number }) =>
  Effect.gen(function* () {
    const { bytes, content } = yield* (yield* MediaStore).get(key, range)
    return { bytes, content: join(yield* Stream.runCollect(content)) }
  })

const text = (value: string) => Stream.make(encoder.encode(value))

const expectText = (key: MediaKey, value: string, what: string) =>
  Effect.map(read(key), ({ content }) => Expect.equal(String.fromCharCode(...content), value, what))

const expectMissing = (key: MediaKey, what: string) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip((yield* MediaStore).get(key))
    Expect.equal(error._tag, "MediaMissing", what)
  })

const keys = (seed: string) => {
  const build = Builders.make(seed)
  const { id: workspace } = build.workspace()
  return { build, workspace, key: (): MediaKey => ({ workspace, id: build.ids.next("med") }) }
}

export const cases: ReadonlyArray<MediaCase> = [
  mediaCase("what was put is got, whole, with its length and its hash", function* () {
    const store = yield* MediaStore
    const { key } = keys("whole")
    const one = key()
    // SHA-256 of "abc", from FIPS 180-4.
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    Expect.equal(yield* store.put(one, text("abc"), options), { bytes: 3, sha256: abc }, "the answer")
    Expect.equal(yield* read(one), { bytes: 3, content: [97, 98, 99] }, "what is there")
    const large = key()
    const bytes = bytesOf("large", 300_000)
    Expect.equal((yield* store.put(large, inPieces(bytes), options)).bytes, bytes.length, "the length of a large one")
    Expect.ok(
      (yield* read(large)).content.every((byte, i) => byte === bytes[i]),
      "the bytes of a large one differ"
    )
  }),

  mediaCase("a file may be empty", function* () {
    const store = yield* MediaStore
    const one = keys("empty").key()
    const none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    Expect.equal(yield* store.put(one, Stream.empty, options), { bytes: 0, sha256: none }, "the answer")
    Expect.equal(yield* read(one), { bytes: 0, content: [] }, "what is there")
  }),

  mediaCase("a range gives its bytes and the length of the whole; what lies beyond is left out", function* () {
    const store = yield* MediaStore
    const one = keys("ranges").key()
    yield* store.put(one, text("0123456789"), options)
    const part = (start: number, end?: number) =>
      Effect.map(read(one, { start, ...(end !== undefined && { end }) }), ({ bytes, content }) => {
        Expect.equal(bytes, 10, "the length of the whole")
        return String.fromCharCode(...content)
      })
    Expect.equal(yield* part(0, 1), "0", "the first byte")
    Expect.equal(yield* part(3, 6), "345", "from the middle")
    Expect.equal(yield* part(7), "789", "to the end")
    Expect.equal(yield* part(8, 99), "89", "beyond the end")
    Expect.equal(yield* part(10), "", "after the end")
    Expect.equal(yield* part(4, 4), "", "of nothing")
  }),

  mediaCase("what is put again replaces the former", function* () {
    const store = yield* MediaStore
    const one = keys("again").key()
    yield* store.put(one, text("a long one"), options)
    yield* store.put(one, text("short"), options)
    yield* expectText(one, "short", "what is there")
  }),

  mediaCase("workspaces and files have nothing of each other", function* () {
    const store = yield* MediaStore
    const { build, key } = keys("apart")
    const [one, two] = [key(), key()]
    const elsewhere = { workspace: build.workspace().id, id: one.id }
    yield* store.put(one, text("mine"), options)
    yield* expectMissing(elsewhere, "the same id in another workspace")
    yield* expectMissing(two, "another id")
    yield* store.put(elsewhere, text("theirs"), options)
    yield* store.delete(elsewhere)
    yield* expectText(one, "mine", "after the other was deleted")
  }),

  mediaCase("what is no id is refused by every verb, so that no name leads out of a store", function* () {
    const store = yield* MediaStore
    const { id, workspace } = keys("names").key()
    const names = ["..", ".", "", "../../x", `../${id}`, `${id}/../x`, `${id}%2f..`, `${id}\u0000`]
    const wrong = [
      ...names.map((name) => ({ workspace, id: name as MediaKey["id"] })),
      ...names.map((name) => ({ workspace: name as MediaKey["workspace"], id }))
    ]
    for (const key of wrong) {
      const asked: ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>> = [
        store.put(key, text("x"), options),
        store.get(key),
        store.delete(key),
        store.url(key, { mime, filename: null, until: Builders.start })
      ]
      for (const verb of asked) {
        const { _tag } = yield* Effect.flip(verb)
        Expect.equal(_tag, "MediaStoreError", `${JSON.stringify(key)}`)
      }
    }
  }),

  mediaCase("what is deleted is gone, however often", function* () {
    const store = yield* MediaStore
    const one = keys("gone").key()
    yield* store.delete(one)
    yield* store.put(one, text("x"), options)
    yield* store.delete(one)
    yield* expectMissing(one, "a deleted file")
    yield* store.delete(one)
  }),

  mediaCase("more than was allowed is refused, and what was there stays", function* () {
    const store = yield* MediaStore
    const { key } = keys("large")
    const [fresh, kept] = [key(), key()]
    yield* store.put(kept, text("former"), options)
    for (const one of [fresh, kept]) {
      const error = yield* Effect.flip(store.put(one, inPieces(bytesOf("many", 20_000)), { mime, maxBytes: 19_999 }))
      Expect.equal(error._tag, "MediaTooLarge", "the error")
    }
    yield* expectMissing(fresh, "a file that was too large")
    yield* expectText(kept, "former", "the one that was there")
    yield* store.put(fresh, text("12345"), { mime, maxBytes: 5 })
  }),

  mediaCase("a stream that fails in the middle leaves what was there", function* () {
    const store = yield* MediaStore
    const { key } = keys("broken")
    const [fresh, kept] = [key(), key()]
    yield* store.put(kept, text("former"), options)
    for (const one of [fresh, kept]) {
      const broken = Stream.concat(inPieces(bytesOf("half", 20_000)), Stream.fail("cut off" as const))
      Expect.equal(yield* Effect.flip(store.put(one, broken, options)), "cut off", "the error")
    }
    yield* expectMissing(fresh, "half a file")
    yield* expectText(kept, "former", "the one that was there")
  }),

  mediaCase("a put that is interrupted in the middle leaves what was there", function* () {
    const store = yield* MediaStore
    const { key } = keys("interrupted")
    const [fresh, kept] = [key(), key()]
    yield* store.put(kept, text("former"), options)
    for (const one of [fresh, kept]) {
      const endless = Stream.concat(inPieces(bytesOf("half", 20_000)), Stream.never)
      yield* Effect.raceFirst(
        store.put(one, endless, options),
        Effect.forEach(Array.from({ length: 200 }), () => Effect.yieldNow)
      )
    }
    yield* expectMissing(fresh, "half a file")
    yield* expectText(kept, "former", "the one that was there")
    yield* store.delete(fresh)
  }),

  mediaCase("of two who put the same file at once one wins, whole", function* () {
    const store = yield* MediaStore
    const one = keys("race").key()
    const [a, b] = [bytesOf("a", 100_000), bytesOf("b", 100_000)]
    yield* Effect.all([store.put(one, inPieces(a), options), store.put(one, inPieces(b), options)], { concurrency: 2 })
    const { content } = yield* read(one)
    const winner = content[0] === a[0] ? a : b
    Expect.equal(content.length, winner.length, "the length")
    Expect.ok(
      content.every((byte, i) => byte === winner[i]),
      "the file is a mixture of two"
    )
  }),

  mediaCase("a file deleted before its content is read fails there, or is read whole", function* () {
    const store = yield* MediaStore
    const one = keys("late").key()
    yield* store.put(one, text("still"), options)
    const { content } = yield* store.get(one)
    yield* store.delete(one)
    const chunks = yield* Effect.orElseSucceed(Stream.runCollect(content), () => null)
    if (chunks !== null) Expect.equal(String.fromCharCode(...join(chunks)), "still", "what was read")
  })
]
