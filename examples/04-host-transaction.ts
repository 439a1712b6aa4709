/**
 * Inside the host's own transaction: the shop writes its order, and the buyer becomes a contact on a list, together or not
 * at all. The engine's tables live in the host's database file, with a prefix of their own.
 */
import { Database } from "@overture/adapters/storage/Database"
import * as SqliteStorage from "@overture/adapters/storage/SqliteStorage"
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import { Workspaces } from "@overture/core/account/Workspaces"
import { Contacts } from "@overture/core/contact/Contacts"
import { ContactStore } from "@overture/core/contact/ContactStore"
import * as Overture from "@overture/core/Overture"
import type { WorkspaceId } from "@overture/core/workspace/Id"
import { Console, Effect, Exit, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

const directory = mkdtempSync(join(tmpdir(), "overture-example-"))
const path = join(directory, "shop.sqlite")

const shop = new DatabaseSync(path)
shop.exec("pragma journal_mode = wal; create table orders(id integer primary key, buyer text not null)")

const storage = SqliteStorage.layer({ path, prefix: "overture_" })
const engine = Layer.unwrap(
  Effect.map(Sandbox.make(), (sandbox) => Layer.provideMerge(Overture.layer({ storage, channels: [sandbox] }), storage))
)

/** One order. When anything in it fails, neither the order nor the contact is there afterwards. */
const order = (workspace: WorkspaceId, buyer: string, fails: boolean) =>
  Effect.gen(function* () {
    const database = yield* Database
    const contacts = yield* Contacts
    shop.exec("begin immediate")
    const work = Effect.gen(function* () {
      shop.prepare("insert into orders(buyer) values (?)").run(buyer)
      const list = yield* contacts.listNamed(workspace, "buyers")
      yield* contacts.importRows(
        workspace,
        list.id,
        [{ line: 1, externalId: buyer, tags: ["buyer"], attributes: {} }],
        {
          channel: "sandbox",
          accounts: []
        }
      )
      if (fails) return yield* Effect.fail("the card was declined")
    })
    yield* database
      .withHostTransaction(shop)(work)
      .pipe(
        // However it ends: with an error, a defect or an interruption it is as if it had never begun.
        Effect.onExit((exit) => Effect.sync(() => shop.exec(Exit.isSuccess(exit) ? "commit" : "rollback"))),
        Effect.catch((why) => Console.log(`${buyer}: ${typeof why === "string" ? why : why.message}; rolled back`))
      )
  })

const program = Effect.gen(function* () {
  const { id: workspace } = yield* (yield* Workspaces).create({ name: "shop" }, { type: "api", id: "shop" })
  yield* order(workspace, "ann", false)
  yield* order(workspace, "ben", true)
  const { total } = yield* (yield* ContactStore).list(workspace, { count: true })
  const orders = shop.prepare("select count(*) as n from orders").get()
  yield* Console.log(`${String(orders?.["n"])} order, ${total} contact`)
})

try {
  await Effect.runPromise(Effect.provide(program, engine))
} finally {
  shop.close()
  rmSync(directory, { recursive: true })
}
