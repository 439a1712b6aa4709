/**
 * An inbox in a program of one's own: its HTTP server hands what the platform posts to the engine, which verifies, decodes
 * and keeps it; then the chats that wait are listed, and answered. The platform is the sandbox, which posts signed requests
 * like a real one.
 */
import * as Sandbox from "@overture/adapters/channels/sandbox/Sandbox"
import { preview } from "@overture/core/channel/Content"
import * as MemoryStorage from "@overture/core/memory/MemoryStorage"
import { createOverture } from "@overture/core/Overture"
import { Effect, Redacted, Scope } from "effect"
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

const visitors = [
  { account: "page", person: "vera", at: 0, text: "Are you open on Sunday?" },
  { account: "page", person: "theo", at: 1_000, text: "Do you have a phone number?" }
]
const script = { visitors, capabilities: { polling: false } }
const sandbox = await Effect.runPromise(Scope.provide(Sandbox.make({ script }), Scope.makeUnsafe()))
await using overture = createOverture({ storage: MemoryStorage.layer, channels: [sandbox] })

const author = { type: "api", id: "example" } as const
const { id: workspace } = await overture.workspaces.create({ name: "example" }, author)
await overture.accounts.connect({ workspace, channel: "sandbox", externalId: "page" }, author)

// What the host's own server does with a request of the platform: 204 once it is kept, 401 where it is somebody else's.
const secret = Redacted.make("what the platform signs with")
const answer = async (request: IncomingMessage, response: ServerResponse) => {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  const posted = { headers, body: await buffer(request), url: request.url ?? "" }
  const status = await overture.ingress.receive({ channel: "sandbox", secret }, posted).then(
    () => 204,
    (error: { readonly _tag?: string }) => (error._tag === "BadSignature" ? 401 : 500)
  )
  response.writeHead(status).end()
}
const server = createServer((request, response) => void answer(request, response)).listen(0, "127.0.0.1")
await once(server, "listening")
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ingress`
await Effect.runPromise(sandbox.push({ url, secret }))
server.close()

// Whoever waits is answered.
const { data: waiting } = await overture.chats.list(workspace, { waiting: true }, { limit: 20 })
for (const { id, lastText } of waiting) {
  const content = { type: "text", text: `You asked “${lastText}”. Yes!` } as const
  await overture.messages.send(workspace, { to: { chat: id }, content, author })
}
while ((await overture.tick()).worked);

for (const { id } of waiting) {
  const said = await overture.chats.messages(workspace, id, "oldest", { limit: 20 })
  for (const { address, content, direction } of said.data) {
    console.log(address, direction === "inbound" ? "←" : "→", preview(content))
  }
}
