/** What the stores of members, saved contents and private replies promise. */
import { Effect, Option } from "effect"
import { PrivateReplyStore } from "../../chat/PrivateReplyStore.ts"
import type { Template } from "../../chat/Template.ts"
import { TemplateStore } from "../../chat/TemplateStore.ts"
import { EventStore } from "../../event/EventStore.ts"
import type { Member } from "../../workspace/Member.ts"
import { MemberStore } from "../../workspace/MemberStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import * as Scene from "./Scene.ts"
import { expectPaged, fails, refuse, type StorageCase, storageCase } from "./StorageCase.ts"

const { start, text } = Builders

const memberOf = (build: Builders.Builders, workspace: Member["workspace"], more: Partial<Member> = {}): Member => ({
  id: build.ids.next("mbr"),
  workspace,
  name: "Ann",
  email: "ann@example.com",
  role: "agent",
  status: "active",
  externalRef: null,
  createdAt: start,
  ...more
})

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("members: one of an id or reference is added once, and changed by a rule", function* () {
    const { build, workspace } = yield* Scene.people("members")
    const other = build.workspace()
    const store = yield* MemberStore
    const ann = memberOf(build, workspace.id, { externalRef: "u1" })
    Expect.equal(yield* store.create(ann), { member: ann, created: true }, "a member")
    Expect.equal(yield* store.create({ ...ann, name: "else" }), { member: ann, created: false }, "the same id")
    const twin = memberOf(build, workspace.id, { externalRef: "u1" })
    Expect.equal(yield* store.create(twin), { member: ann, created: false }, "the same reference")
    const away = memberOf(build, other.id, { externalRef: "u1", email: null })
    Expect.equal((yield* store.create(away)).created, true, "the reference in another workspace")
    const bob = memberOf(build, workspace.id, { name: "Bob", role: "owner" })
    const eve = memberOf(build, workspace.id)
    yield* store.create(eve)
    yield* store.create(bob)
    yield* expectPaged((page) => store.list(workspace.id, page), [ann.id, bob.id, eve.id].toSorted(), "members")
    const changed = { ...ann, name: "Anna", email: null, role: "admin", status: "away" } as const
    Expect.equal(Option.getOrNull(yield* store.modify(workspace.id, ann.id, () => changed)), changed, "the change")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id, ann.id)), changed, "the member as stored")
    yield* fails(
      store.modify(workspace.id, ann.id, () => refuse()),
      "a rule that throws"
    )
    Expect.ok(Option.isNone(yield* store.get(other.id, ann.id)), "a member from another workspace")
    Expect.ok(Option.isNone(yield* store.modify(other.id, ann.id, () => refuse())), "a change from another workspace")
  }),

  storageCase("members: turns are remembered, and taken one after the other", function* () {
    const { build, workspace } = yield* Scene.people("turns")
    const store = yield* MemberStore
    const members = [memberOf(build, workspace.id), memberOf(build, workspace.id), memberOf(build, workspace.id)]
    yield* Effect.forEach(members, (member) => store.create(member))
    yield* store.create(memberOf(build, build.workspace().id))
    const next = store.takeTurns(workspace.id, (turns) => {
      Expect.equal(turns.length, 3, "members of the workspace")
      return [turns.reduce((best, turn) => (turn.last < best.last ? turn : best)).member.id]
    })
    const one = yield* next
    const others = (yield* Effect.all([next, next], { concurrency: "unbounded" })).flat()
    Expect.equal([...one, ...others].toSorted(), members.map(({ id }) => id).toSorted(), "each has a turn")
    Expect.equal(yield* next, one, "the first is next again")
    Expect.equal(yield* store.takeTurns(workspace.id, () => []), [], "nobody's turn")
  }),

  storageCase("templates: made, changed and deleted with their events", function* () {
    const { build, workspace } = yield* Scene.people("templates")
    const store = yield* TemplateStore
    const made = (more: Partial<Template> = {}): Template => ({
      id: build.ids.next("tpl"),
      workspace: workspace.id,
      name: null,
      content: text("Hi {{ first }}"),
      createdAt: start,
      changedAt: start,
      ...more
    })
    const told = (type: "template.created" | "template.changed" | "template.deleted", id: string) => [
      build.event(workspace.id, id, { type })
    ]
    const all = [made(), made({ name: "Greeting" }), made()]
    for (const template of all) {
      Expect.equal(yield* store.create(template, told("template.created", template.id)), true, "a template")
    }
    const [first, second] = all
    Expect.equal(yield* store.create({ ...first!, name: "x" }, told("template.created", "no")), false, "the same id")
    yield* expectPaged((page) => store.list(workspace.id, page), all.map(({ id }) => id).toSorted(), "templates")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id, second!.id)), second!, "a template as stored")
    const changed: Template = { ...second!, name: null, content: text("Bye"), changedAt: start + 1 }
    const change = () => ({ template: changed, events: told("template.changed", second!.id) })
    Expect.equal(Option.getOrNull(yield* store.modify(workspace.id, second!.id, change)), changed, "the change")
    Expect.equal(Option.getOrNull(yield* store.get(workspace.id, second!.id)), changed, "the template as changed")
    const other = build.ids.next("wsp")
    Expect.ok(Option.isNone(yield* store.modify(other, second!.id, () => refuse())), "from another workspace")
    Expect.equal(yield* store.delete(other, first!.id, told("template.deleted", "no")), false, "from another workspace")
    Expect.equal(yield* store.delete(workspace.id, first!.id, told("template.deleted", first!.id)), true, "deleted")
    Expect.equal(yield* store.delete(workspace.id, first!.id, told("template.deleted", "no")), false, "deleted before")
    const feed = yield* (yield* EventStore).read(workspace.id, null, 100)
    Expect.equal(
      feed.map(({ event }) => `${event.type} ${event.subject}`),
      [
        ...all.map(({ id }) => `template.created ${id}`),
        `template.changed ${second!.id}`,
        `template.deleted ${first!.id}`
      ],
      "events"
    )
  }),

  storageCase("private replies: a comment has one place, until it is given back", function* () {
    const { accounts, build, workspace } = yield* Scene.people("private replies", { accounts: 2 })
    const [account, other] = accounts
    const store = yield* PrivateReplyStore
    const reply = (comment: string, of = account!) => ({
      workspace: workspace.id,
      account: of.id,
      comment,
      message: build.ids.next("msg"),
      at: start
    })
    const first = reply("c")
    Expect.equal(yield* store.reserve(first), first.message, "the first")
    Expect.equal(yield* store.reserve(first), first.message, "the same again")
    Expect.equal(yield* store.reserve(reply("c")), first.message, "a second message")
    const elsewhere = reply("c", other)
    Expect.equal(yield* store.reserve(elsewhere), elsewhere.message, "another account's comment")
    const race = yield* Effect.all([store.reserve(reply("d")), store.reserve(reply("d"))], { concurrency: "unbounded" })
    Expect.equal(race[0], race[1], "two at the same time")
    yield* store.release([elsewhere.message, build.ids.next("msg")])
    yield* store.release([])
    Expect.equal(yield* store.reserve(reply("c")), first.message, "the first is still there")
    const later = reply("c", other)
    Expect.equal(yield* store.reserve(later), later.message, "after it was given back")
  })
]
