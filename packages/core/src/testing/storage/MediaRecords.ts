/** What `MediaRecordStore` promises: rows that are claimed one at a time, changed by rules, and gone with their chats. */
import { Effect, Option } from "effect"
import * as Media from "../../chat/Media.ts"
import { MediaRecordStore } from "../../chat/MediaRecordStore.ts"
import type { WorkspaceId } from "../../workspace/Id.ts"
import { Transaction } from "../../workspace/Transaction.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { Contents, expectPaged, fails, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start } = Builders

/** Rows of media with ids that ascend. */
const maker = (build: Builders.Builders, workspace: WorkspaceId) => {
  const make = (overrides: Partial<Media.Media> = {}): Media.Media => ({
    ...Media.unsettled,
    id: build.ids.next("med"),
    workspace,
    kind: "image",
    status: "stored",
    source: "upload",
    createdAt: start,
    ...overrides
  })
  return make
}

const idsOf = (rows: ReadonlyArray<Media.Media>) => rows.map(({ id }) => id)

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("media: added once, whole, found in their workspace alone, listed without what is deleted", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("media")
    const [mine, other] = [build.workspace(), build.workspace()]
    const media = maker(build, mine.id)
    const full = media({
      kind: "file",
      mime: "application/pdf",
      bytes: 2 ** 40,
      sha256: "ab".repeat(32),
      filename: "Rechnung „März“.pdf",
      source: "inbound",
      url: "https://example.org/1?a=b",
      account: build.account(mine.id).id,
      message: build.ids.next("msg"),
      chat: build.ids.next("cht"),
      reason: "timeout",
      attempts: 3,
      dueAt: start + 1,
      expiresAt: start + 2,
      used: true
    })
    const rows = [full, media(), media({ status: "failed" })]
    const gone = media({ status: "deleted", dueAt: start })
    yield* store.add([...rows, gone])
    yield* store.add([{ ...full, filename: "again" }])
    yield* store.add([])
    Expect.equal(Option.getOrNull(yield* store.get(mine.id, full.id)), full, "by id")
    Expect.ok(Option.isNone(yield* store.get(other.id, full.id)), "another workspace got it")
    Expect.ok(Option.isNone(yield* store.get(mine.id, build.ids.next("med"))), "an unknown id was found")
    yield* expectPaged((page) => store.list(mine.id, page), idsOf(rows), "media")
    Expect.equal((yield* store.list(other.id, {})).data, [], "the other's list")
  }),

  storageCase("media: what is longest due is claimed first, once until its time is over", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("claim media")
    const media = maker(build, build.workspace().id)
    Expect.equal(yield* store.nextDue, null, "the next of nothing")
    const [late, early, never] = [
      media({ status: "remote", dueAt: start + 20 }),
      media({ status: "remote", dueAt: start + 10 }),
      media({ status: "stored" })
    ]
    yield* store.add([late, early, never])
    Expect.equal(yield* store.nextDue, start + 10, "the next")
    const claim = (now: number) => Effect.map(store.claim(now, now + 100), Option.getOrNull)
    Expect.equal(yield* claim(start + 9), null, "before anything is due")
    Expect.equal(yield* claim(start + 20), { ...early, attempts: 1, dueAt: start + 120 }, "the first")
    Expect.equal(yield* claim(start + 20), { ...late, attempts: 1, dueAt: start + 120 }, "the second")
    Expect.equal(yield* claim(start + 119), null, "while both are held")
    Expect.equal((yield* claim(start + 120))?.attempts, 2, "once the time is over")
  }),

  storageCase("media: claims at the same time take different rows", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("claim media together")
    const media = maker(build, build.workspace().id)
    const rows = Array.from({ length: 6 }, () => media({ status: "remote", dueAt: start }))
    yield* store.add(rows)
    const taken: Array<string> = []
    const worker = Effect.gen(function* () {
      while (true) {
        const claimed = Option.getOrNull(yield* store.claim(start, start + 100))
        if (claimed === null) return
        taken.push(claimed.id)
      }
    })
    yield* Effect.all([worker, worker, worker], { concurrency: 3, discard: true })
    // One that is passed by because another holds it is due again for whoever asks next.
    yield* worker
    Expect.equal([...taken].sort(), idsOf(rows), "what was claimed")
  }),

  storageCase("media: modify writes what the rule says, removes at null, and nothing where it throws", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("modify media")
    const { id: workspace } = build.workspace()
    const media = maker(build, workspace)
    const [one, two] = [media({ status: "remote", url: "https://example.org/x", dueAt: start }), media()]
    yield* store.add([one, two])
    const after = Media.stored(one, { mime: "image/png", bytes: 5, sha256: "00" }, "a.png")
    const changes = yield* store.modify([one.id, two.id, build.ids.next("med")], ({ id }) =>
      id === one.id ? after : null
    )
    Expect.equal(
      changes,
      [
        { before: one, after },
        { before: two, after: null }
      ],
      "the answer"
    )
    Expect.equal(Option.getOrNull(yield* store.get(workspace, one.id)), after, "what is stored")
    Expect.ok(Option.isNone(yield* store.get(workspace, two.id)), "a removed row is there")
    yield* fails(store.modify([one.id], refuse), "a modify whose rule throws")
    Expect.equal(Option.getOrNull(yield* store.get(workspace, one.id)), after, "after a rule that threw")
    Expect.equal(yield* store.modify([], refuse), [], "of none")
  }),

  storageCase("media: files of chats are found and changed with them, in their workspace alone", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("media of chats")
    const [mine, other] = [build.workspace().id, build.workspace().id]
    const media = maker(build, mine)
    const [chat, another] = [build.ids.next("cht"), build.ids.next("cht")]
    const rows = [
      media({ chat, filename: "Ada.png", message: build.ids.next("msg") }),
      media({ chat, status: "remote", url: "https://example.org/Ada", attempts: 1 }),
      media({ chat: another }),
      media(),
      media({ chat, workspace: other }),
      media({ chat, status: "deleted", dueAt: start })
    ] as const
    yield* store.add(rows)
    Expect.equal(yield* store.ofChats(mine, [chat, chat]), rows.slice(0, 2), "of the chat")
    Expect.equal(yield* store.ofChats(mine, []), [], "of none")
    const changes = yield* store.modifyOfChats(mine, [chat], (one) => Media.deleted(one, start + 1))
    Expect.equal(
      changes.map(({ before }) => before.id),
      [rows[0].id, rows[1].id, rows[5].id],
      "what was changed"
    )
    const texts = (yield* (yield* Contents).rows).filter(({ table }) => table.endsWith("media")).map(({ text }) => text)
    Expect.ok(
      texts.length === rows.length && !texts.some((text) => text.includes("Ada") || text.includes(rows[0].message!)),
      "what is to be removed tells of its person",
      texts
    )
    Expect.equal(idsOf((yield* store.list(mine, {})).data), [rows[2].id, rows[3].id], "what the workspace still has")
    Expect.equal(idsOf((yield* store.list(other, {})).data), [rows[4].id], "what the other has")
  }),

  storageCase(
    "media: the oldest of chats come first where they are to be purged, and only what is settled",
    function* () {
      const store = yield* MediaRecordStore
      const build = Builders.make("old media")
      const [mine, other] = [build.workspace().id, build.workspace().id]
      const chat = build.ids.next("cht")
      const media = maker(build, mine)
      const rows = [
        media({ createdAt: start + 3, chat }),
        media({ createdAt: start + 2, chat, status: "failed" }),
        media({ createdAt: start + 1, chat }),
        media({ createdAt: start + 5, chat }),
        media({ chat, workspace: other }),
        media(),
        media({ chat, status: "remote" }),
        media({ chat, status: "pending" }),
        media({ chat, status: "deleted" })
      ] as const
      yield* store.add(rows)
      Expect.equal(yield* store.older(mine, start + 5, 10), [rows[2], rows[1], rows[0]], "all of them")
      Expect.equal(yield* store.older(mine, start + 5, 1), [rows[2]], "the first")
      Expect.equal(yield* store.older(mine, start, 10), [], "none")
    }
  ),

  storageCase("media: what happens in a transaction that fails did not happen", function* () {
    const store = yield* MediaRecordStore
    const { within } = yield* Transaction
    const build = Builders.make("media rolled back")
    const { id: workspace } = build.workspace()
    const media = maker(build, workspace)
    const [due, stays] = [media({ status: "remote", dueAt: start }), media()]
    yield* store.add([due, stays])
    yield* fails(
      within(
        Effect.gen(function* () {
          yield* store.add([media()])
          yield* store.claim(start, start + 100)
          yield* store.modify([stays.id], () => null)
          return yield* Effect.fail("no")
        })
      ),
      "the transaction"
    )
    Expect.equal((yield* store.list(workspace, {})).data, [due, stays], "what is there")
  }),

  storageCase("media: what nothing was made of is found when it is old, oldest first", function* () {
    const store = yield* MediaRecordStore
    const build = Builders.make("unused media")
    const [mine, other] = [build.workspace().id, build.workspace().id]
    const media = maker(build, mine)
    const chat = build.ids.next("cht")
    const [second, first, third] = [
      media({ createdAt: start - 2, source: "url" }),
      media({ createdAt: start - 3, status: "failed" }),
      media({ createdAt: start - 1, source: "data", chat })
    ]
    yield* store.add([
      second,
      first,
      third,
      media({ createdAt: start }),
      media({ createdAt: start - 9, used: true }),
      media({ createdAt: start - 9, source: "inbound", chat }),
      media({ createdAt: start - 9, status: "pending", dueAt: start }),
      media({ createdAt: start - 9, expiresAt: start + 99, dueAt: start + 99 }),
      media({ createdAt: start - 9, status: "deleted", dueAt: start }),
      { ...media({ createdAt: start - 9 }), workspace: other }
    ])
    const found = (limit: number) => Effect.map(store.unused(mine, start, limit), idsOf)
    Expect.equal(yield* found(9), idsOf([first, second, third]), "those that nothing was made of")
    Expect.equal(yield* found(2), idsOf([first, second]), "at most two")
    yield* store.modify([first.id], Media.used)
    Expect.equal(yield* found(9), idsOf([second, third]), "without one that is used now")
  })
]
