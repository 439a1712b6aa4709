/** `overture acknowledge`: a person says that the database may send again after a restore. */
import { OutboxStore } from "@overture/core/outbox/OutboxStore"
import { Effect } from "effect"
import { Command } from "effect/cli"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"

export const command = Command.make(
  "acknowledge",
  { database: Flags.database, json: Flags.json },
  ({ database, json }) =>
    Reading.over(
      database,
      Effect.gen(function* () {
        const outbox = yield* OutboxStore
        const before = yield* outbox.guard
        if (before.type === "restored") yield* outbox.acknowledge
        if (json)
          return Output.printJson({ restored: before.type === "restored", acknowledged: before.type === "restored" })
        Output.print(
          ...(before.type === "same"
            ? ["There is nothing to acknowledge: this is the database that was last written to."]
            : [
                `Acknowledged: ${before.detail}.`,
                "Messages sent after the backup are not in it, and people may get those again. Workers send from now on."
              ])
        )
      })
    )
).pipe(
  Command.withShortDescription("Let a restored database send again"),
  Command.withDescription(
    "After a restore from a backup no worker sends: what was sent after the backup is not in it, so those people would be written to twice. Look at what that concerns, then acknowledge."
  )
)
