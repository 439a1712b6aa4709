/**
 * A server that speaks like S3, over HTTP on loopback: it keeps objects and believes nobody. Every signature is computed
 * again by another implementation than ours, every body hashed, and some requests fail as those of S3 do.
 */
import aws4 from "aws4"
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" }

/** What a request meets instead of an answer. */
export type Fault = { readonly status: number; readonly code: string } | "hang" | "reset"

export interface FakeS3 {
  readonly endpoint: string
  readonly objects: Map<string, { readonly body: Buffer; readonly type: string }>
  /** What the next requests meet, one after another. */
  readonly faults: Array<Fault | null>
  /** `PUT /bucket/key` of every request that was let in. */
  readonly seen: Array<string>
  readonly close: () => Promise<void>
}

const problem = (response: ServerResponse, status: number, code: string, more: Record<string, string> = {}) => {
  response.writeHead(status, { "content-type": "application/xml", ...more })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const region = "eu-test-1"

/** The signature that the request should have, by aws4; null where it has none. */
const wrong = (request: IncomingMessage, body: Buffer, secret: typeof credentials): string | null => {
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`)
  const given = request.headers.authorization
  if (given === undefined) {
    const signature = url.searchParams.get("X-Amz-Signature")
    if (signature === null) return "AccessDenied"
    const date = url.searchParams.get("X-Amz-Date") ?? ""
    const at = Date.parse(date.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, "$1-$2-$3T$4:$5:$6Z"))
    if (Date.now() > at + Number(url.searchParams.get("X-Amz-Expires")) * 1000) return "AccessDenied"
    for (const name of ["Signature", "Credential", "Algorithm", "SignedHeaders"])
      url.searchParams.delete(`X-Amz-${name}`)
    const signed = aws4.sign(
      { service: "s3", region, method: "GET", host: url.host, path: url.pathname + url.search, signQuery: true },
      secret
    )
    const made = new URL(signed.path ?? "", url).searchParams.get("X-Amz-Signature")
    return made === signature ? null : "SignatureDoesNotMatch"
  }
  const claimed = request.headers["x-amz-content-sha256"]
  if (claimed !== createHash("sha256").update(body).digest("hex")) return "XAmzContentSHA256Mismatch"
  const names = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? []
  if (!names.includes("host") || !names.includes("x-amz-content-sha256") || !names.includes("x-amz-date")) {
    return "AccessDenied"
  }
  const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name])]))
  const signed = aws4.sign(
    {
      service: "s3",
      region,
      method: request.method ?? "",
      host: url.host,
      path: request.url ?? "",
      headers,
      extraHeadersToIgnore: Object.fromEntries(
        ["content-type", "content-length"].filter((name) => !names.includes(name)).map((name) => [name, true])
      )
    },
    secret
  )
  return signed.headers?.["Authorization"] === given ? null : "SignatureDoesNotMatch"
}

export const start = async (style: "path" | "virtual" = "path"): Promise<FakeS3> => {
  const objects: FakeS3["objects"] = new Map()
  const faults: FakeS3["faults"] = []
  const seen: Array<string> = []

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    const fault = faults.shift() ?? null
    if (fault === "hang") return
    if (fault === "reset") return void request.socket.destroy()
    if (fault !== null) return problem(response, fault.status, fault.code)
    const refusal = wrong(request, body, credentials)
    if (refusal !== null) return problem(response, refusal === "XAmzContentSHA256Mismatch" ? 400 : 403, refusal)
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`)
    const bucket = style === "path" ? url.pathname.split("/")[1] : url.hostname.split(".")[0]
    const name = decodeURIComponent(
      style === "path" ? url.pathname.split("/").slice(2).join("/") : url.pathname.slice(1)
    )
    if (bucket !== "bucket") return problem(response, 404, "NoSuchBucket")
    seen.push(`${request.method} ${name}`)
    if (request.method === "PUT") {
      objects.set(name, { body, type: request.headers["content-type"] ?? "" })
      return void response.writeHead(200, { etag: '"x"' }).end()
    }
    if (request.method === "DELETE") {
      objects.delete(name)
      return void response.writeHead(204).end()
    }
    const object = objects.get(name)
    if (object === undefined) {
      return request.method === "HEAD" ? void response.writeHead(404).end() : problem(response, 404, "NoSuchKey")
    }
    const type = url.searchParams.get("response-content-type") ?? object.type
    const disposition = url.searchParams.get("response-content-disposition")
    const headers = { "content-type": type, ...(disposition !== null && { "content-disposition": disposition }) }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")
    const [from, to] = range === null ? [0, object.body.length] : [Number(range[1]), Number(range[2]) + 1]
    if (range !== null && from >= object.body.length) return problem(response, 416, "InvalidRange")
    const part = object.body.subarray(from, to)
    response.writeHead(range === null ? 200 : 206, { ...headers, "content-length": part.length })
    response.end(request.method === "HEAD" ? undefined : part)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://${style === "path" ? "127.0.0.1" : "localhost"}:${port}`,
    objects,
    faults,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
