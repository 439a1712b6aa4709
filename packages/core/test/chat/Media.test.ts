/** The rules by which files are tried again, given up and removed. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Media from "../../src/chat/Media.ts"
import * as Builders from "../../src/testing/Builders.ts"
import { day, hour, minute, second } from "../../src/workspace/Instant.ts"

const build = Builders.make("media rules")
const { start } = Builders

const remote = (overrides: Partial<Media.Media> = {}): Media.Media => ({
  ...Media.unsettled,
  id: build.ids.next("med"),
  workspace: build.workspace().id,
  kind: "image",
  status: "remote",
  source: "inbound",
  url: "https://example.org/Ada",
  filename: "Ada.png",
  chat: build.ids.next("cht"),
  message: build.ids.next("msg"),
  attempts: 1,
  dueAt: start + Media.leaseMs,
  createdAt: start,
  ...overrides
})

describe("a file that could not be fetched", () => {
  /** How often it is tried, and how long that takes at most. */
  const tried = (trouble: Media.MediaTrouble, chance: number) => {
    let now = start
    let media = remote()
    for (;;) {
      media = Media.missed(media, trouble, now, chance)
      if (media.status === "failed") return { attempts: media.attempts, ms: now - start, media }
      assert.isAbove(media.dueAt ?? 0, now)
      now = media.dueAt ?? 0
      media = { ...media, attempts: media.attempts + 1 }
    }
  }

  it("is tried as often as its trouble is worth", () => {
    const expected = {
      forbidden: 1,
      gone: 1,
      tooLarge: 1,
      mismatch: 3,
      refused: 6,
      timeout: 8,
      unreachable: 8
    } as const
    for (const [trouble, attempts] of Object.entries(expected)) {
      const { attempts: made, media } = tried(trouble as Media.MediaTrouble, 0.5)
      assert.strictEqual(made, attempts)
      assert.deepInclude(media, { reason: trouble, url: null, dueAt: null })
    }
    assert.strictEqual(tried("unreachable", 0.5).ms, 10 * second + 30 * second + 42 * minute + 4 * hour)
  })

  it("is given up after a week where it is our own store that fails", () => {
    const { attempts, ms } = tried("notStored", 0.5)
    assert.isAtLeast(ms, 7 * day)
    assert.isBelow(ms, 7 * day + 4 * hour)
    assert.isAbove(attempts, 50)
  })

  it.prop(
    "waits longer each time, within a quarter of its pause",
    [
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
      Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999 }))
    ],
    ([attempts, chance]) => {
      const wait = (n: number, luck: number) =>
        (Media.missed(remote({ attempts: n }), "notStored", start, luck).dueAt ?? 0) - start
      assert.isAtLeast(wait(attempts, chance), Math.floor(wait(attempts, 0.5) * 0.75))
      assert.isAtMost(wait(attempts, chance), Math.ceil(wait(attempts, 0.5) * 1.25))
      assert.isAtLeast(wait(attempts + 1, 0.5), wait(attempts, 0.5))
    }
  )
})

describe("a file that nobody wants any more", () => {
  it("leaves nothing where none of it was asked for, and a mark without its person where some may be there", () => {
    assert.isNull(Media.discarded(remote({ attempts: 0, dueAt: start }), start))
    const mark = Media.discarded(Media.stored(remote(), { mime: "image/png", bytes: 1, sha256: "00" }, null), start)
    assert.deepInclude(mark, {
      status: "deleted",
      dueAt: start,
      filename: null,
      chat: null,
      message: null,
      sha256: null
    })
    assert.notInclude(JSON.stringify(mark), "Ada")
  })

  it("is not removed before whoever may be writing it has surely ended", () => {
    const later = start + minute
    assert.strictEqual(Media.deleted(remote(), later).dueAt, start + Media.leaseMs)
    assert.strictEqual(Media.deleted(remote(), start + Media.leaseMs).dueAt, start + Media.leaseMs)
    const upload = remote({ status: "pending", attempts: 0, dueAt: start + Media.uploadLeaseMs })
    assert.strictEqual(Media.deleted(upload, later).dueAt, start + Media.uploadLeaseMs)
    // One that waits for hours to be tried again is written by nobody.
    assert.strictEqual(Media.deleted(remote({ dueAt: start + 3 * hour }), start).dueAt, start + Media.leaseMs)
    const twice = Media.deleted(remote(), later)
    assert.strictEqual(Media.deleted(twice, later + 1), twice)
  })

  it("work ends long before the lease does", () => {
    assert.isAtMost(Media.workMs * 2, Media.leaseMs)
    assert.isAtMost(Media.uploadWorkMs * 2, Media.uploadLeaseMs)
  })
})

describe("a reference", () => {
  it("names a file, and nothing else", () => {
    const id = build.ids.next("med")
    assert.strictEqual(Media.referred(Media.reference(id)), id)
    for (const other of ["media:", "media:x", `media:${id}x`, id, `Media:${id}`, "https://media:1/"]) {
      assert.isNull(Media.referred(other))
    }
  })
})
