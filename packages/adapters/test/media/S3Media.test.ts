/** S3 beyond the suite: both styles, signatures that are really looked at, failures that pass, URLs that expire. */
import type { MediaKey, MediaStore } from "@overture/core/chat/MediaStore"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted, Stream } from "effect"
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from "undici"
import { afterAll, beforeAll, beforeEach } from "vitest"
import * as S3Media from "../../src/media/S3Media.ts"
import * as FakeS3 from "./FakeS3.ts"

let server: FakeS3.FakeS3
beforeAll(async () => {
  server = await FakeS3.start()
})
afterAll(() => server.close())
beforeEach(() => {
  server.faults.length = 0
  server.seen.length = 0
})

const secret = FakeS3.credentials.secretAccessKey

const store = (more: Partial<S3Media.Options> = {}) =>
  S3Media.make({
    endpoint: server.endpoint,
    region: "eu-test-1",
    bucket: "bucket",
    accessKeyId: FakeS3.credentials.accessKeyId,
    secretAccessKey: Redacted.make(secret),
    timeoutMs: 2_000,
    ...more
  })

const build = Builders.make("s3")
const workspace = build.workspace().id
const key = (): MediaKey => ({ workspace, id: build.ids.next("med") })
const text = (value: string) => Stream.make(new TextEncoder().encode(value))
const options = { mime: "image/png", maxBytes: 1_000 }

const read = (from: MediaStore["Service"], one: MediaKey) =>
  Effect.gen(function* () {
    const { content } = yield* from.get(one)
    return Buffer.concat(yield* Stream.runCollect(content)).toString()
  })

describe("S3Media", () => {
  it.live("keeps objects under prefix, workspace and id, with their type", () =>
    Effect.gen(function* () {
      const one = key()
      yield* store({ prefix: "media/ü +%/" }).put(one, text("x"), options)
      assert.deepStrictEqual(server.objects.get(`media/ü +%/${workspace}/${one.id}`)?.type, "image/png")
    })
  )

  it.live("signs what it sends: with another secret nothing is done, and no error tells it", () =>
    Effect.gen(function* () {
      const one = key()
      const thief = store({ secretAccessKey: Redacted.make("stolen"), retries: 0 })
      const error = yield* Effect.flip(thief.put(one, text("x"), options))
      assert.strictEqual(error.message, "S3Media.put: the store answered 403 SignatureDoesNotMatch")
      assert.isFalse(error._tag === "MediaStoreError" && error.retryable)
      assert.deepStrictEqual(server.seen, [])
      assert.notInclude(JSON.stringify(error), "stolen")
    })
  )

  it.live("answers that pass are met by asking again", () =>
    Effect.gen(function* () {
      const one = key()
      const s3 = store()
      server.faults.push({ status: 503, code: "SlowDown" }, "reset", { status: 500, code: "InternalError" })
      yield* s3.put(one, text("patience"), options)
      server.faults.push("reset", null, { status: 400, code: "RequestTimeout" }, "reset")
      assert.strictEqual(yield* read(s3, one), "patience")
      server.faults.push({ status: 502, code: "BadGateway" })
      yield* s3.delete(one)
      assert.strictEqual((yield* Effect.flip(s3.get(one)))._tag, "MediaMissing")
    })
  )

  it.live("one that never answers is given up in time", () =>
    Effect.gen(function* () {
      server.faults.push("hang", "hang")
      const from = yield* Clock.currentTimeMillis
      const error = yield* Effect.flip(store({ timeoutMs: 100, retries: 1 }).put(key(), text("x"), options))
      assert.isTrue(error._tag === "MediaStoreError" && error.retryable)
      assert.isBelow((yield* Clock.currentTimeMillis) - from, 2_000)
    })
  )

  it.live("refuses what is larger than its own limit before anything is sent", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(store({ maxBytes: 3 }).put(key(), text("four"), options))
      assert.strictEqual(error.message, "the file has more than 3 bytes")
      assert.deepStrictEqual(server.seen, [])
    })
  )

  it.live("gives URLs that anyone may use until they expire, and for nothing else", () =>
    Effect.gen(function* () {
      const s3 = store()
      const one = key()
      yield* s3.put(one, text("picture"), options)
      const now = yield* Clock.currentTimeMillis
      const url = yield* s3.url(one, { until: now + 60_000, mime: "image/webp", filename: `Grüße "2".webp` })
      const answer = yield* Effect.promise(() => fetch(url ?? ""))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.headers.get("content-type"), "image/webp")
      assert.include(answer.headers.get("content-disposition"), "filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%222%22.webp")
      assert.strictEqual(yield* Effect.promise(() => answer.text()), "picture")
      const another = (url ?? "").replace(one.id, key().id)
      assert.strictEqual((yield* Effect.promise(() => fetch(another))).status, 403)
      const expired = (url ?? "").replace(/X-Amz-Expires=\d+/, "X-Amz-Expires=999999")
      assert.strictEqual((yield* Effect.promise(() => fetch(expired))).status, 403)
      assert.notInclude(url ?? "", secret)
    })
  )

  it.live("a URL that expired opens nothing", () =>
    Effect.gen(function* () {
      const s3 = store()
      const one = key()
      yield* s3.put(one, text("picture"), options)
      const past = (yield* Clock.currentTimeMillis) - 120_000
      const clock: Clock.Clock = { ...(yield* Clock.Clock), currentTimeMillis: Effect.succeed(past) }
      const url = yield* s3
        .url(one, { until: past + 60_000, mime: "image/png", filename: null })
        .pipe(Effect.provideService(Clock.Clock, clock))
      assert.strictEqual((yield* Effect.promise(() => fetch(url ?? ""))).status, 403)
    })
  )
})

describe("S3Media with the bucket before the host", () => {
  let virtual: FakeS3.FakeS3
  const usual = getGlobalDispatcher()
  beforeAll(async () => {
    virtual = await FakeS3.start("virtual")
    // No name server knows the bucket.
    setGlobalDispatcher(
      new Agent({
        connect: {
          lookup: (_name, { all }, found) =>
            all === true ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4)
        }
      })
    )
  })
  afterAll(() => {
    setGlobalDispatcher(usual)
    return virtual.close()
  })

  it.live("puts, gets and deletes", () =>
    Effect.gen(function* () {
      const s3 = store({ endpoint: virtual.endpoint, style: "virtual" })
      const one = key()
      yield* s3.put(one, text("there"), options)
      assert.deepStrictEqual([...virtual.objects.keys()], [`${workspace}/${one.id}`])
      assert.strictEqual(yield* read(s3, one), "there")
      yield* s3.delete(one)
      assert.strictEqual(virtual.objects.size, 0)
    })
  )
})
