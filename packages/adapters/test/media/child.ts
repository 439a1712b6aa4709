/**
 * A process that writes files: `halves` says so once half of each is on the disk, and waits to be killed; `fill` writes
 * 100 kB and says what came of it.
 */
import type { MediaId, WorkspaceId } from "@overture/core/workspace/Id"
import { Effect, Stream } from "effect"
import * as FileMedia from "../../src/media/FileMedia.ts"

const [mode, root = "", workspace, ...ids] = process.argv.slice(2)
const files = FileMedia.make({ root })
const put = (content: Stream.Stream<Uint8Array>) =>
  Effect.forEach(
    ids,
    (id) =>
      files.put({ workspace: workspace as WorkspaceId, id: id as MediaId }, content, {
        mime: "text/plain",
        maxBytes: 2 ** 20
      }),
    { concurrency: "unbounded" }
  )

let halves = 0
/** More is asked for once the first piece is written. */
const waiting = Stream.suspend(() => {
  if (++halves === ids.length) process.stdout.write("half\n")
  return Stream.never
})
const half = Stream.concat(Stream.make(new Uint8Array(100_000).fill(1)), waiting)

if (mode === "halves") {
  setInterval(() => undefined, 1_000)
  await Effect.runPromise(put(half))
} else {
  const pieces = Stream.fromIterable(Array.from({ length: 10 }, () => new Uint8Array(10_000)))
  const said = await Effect.runPromise(
    Effect.match(put(pieces), { onFailure: ({ message }) => message, onSuccess: () => "written" })
  )
  process.stdout.write(said)
}
