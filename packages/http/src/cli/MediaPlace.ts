/**
 * Where a process that sends keeps files: in a folder, or by `s3://bucket/prefix` in a bucket, which several machines can
 * share. Who lets us into a bucket stands in the environment under the names that every tool of S3 knows.
 */
import * as FileMedia from "@overture/adapters/media/FileMedia"
import * as HttpMedia from "@overture/adapters/media/HttpMedia"
import * as S3Media from "@overture/adapters/media/S3Media"
import type { MediaSource } from "@overture/core/chat/MediaSource"
import type { MediaStore } from "@overture/core/chat/MediaStore"
import { Effect, Layer, Redacted } from "effect"
import { access, constants, mkdir } from "node:fs/promises"
import { type CliFailure, refuse } from "./Failure.ts"
import * as FileProblem from "./FileProblem.ts"

export type MediaPlace =
  | { readonly type: "folder"; readonly path: string }
  | { readonly type: "bucket"; readonly bucket: string; readonly prefix: string }

const bucketUrl = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/

/** The place that a flag names; null where it looks like a URL of something else. */
export const parse = (text: string): MediaPlace | null => {
  const [, bucket, path = ""] = bucketUrl.exec(text) ?? []
  if (bucket !== undefined) return { type: "bucket", bucket, prefix: path === "" ? "" : `${path.replace(/\/+$/, "")}/` }
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? null : { type: "folder", path: text }
}

const folder = (path: string): Effect.Effect<Layer.Layer<MediaStore>, CliFailure> =>
  Effect.tryPromise({
    try: async () => {
      await mkdir(path, { recursive: true, mode: 0o700 })
      await access(path, constants.W_OK | constants.X_OK)
      return FileMedia.layer({ root: path })
    },
    // Where a folder cannot be made, Node says that there is none.
    catch: (cause) =>
      cause instanceof Error && "code" in cause && cause.code === "ENOENT"
        ? refuse(`--media ${path}: the folder cannot be made; give this user the right to`)
        : FileProblem.writing(`--media ${path}`, cause)
  })

const bucket = (name: string, prefix: string): Effect.Effect<Layer.Layer<MediaStore>, CliFailure> =>
  Effect.suspend(() => {
    const given = (variable: string) => process.env[variable] ?? ""
    const missing = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].filter(
      (variable) => given(variable) === ""
    )
    if (missing.length > 0) {
      return Effect.fail(refuse(`--media s3://${name}: ${missing.join(", ")} must be set to reach the bucket`))
    }
    const own = given("AWS_ENDPOINT_URL_S3") || given("AWS_ENDPOINT_URL")
    if (own !== "" && !URL.canParse(own)) return Effect.fail(refuse("AWS_ENDPOINT_URL_S3: it is no URL"))
    const token = given("AWS_SESSION_TOKEN")
    return Effect.succeed(
      S3Media.layer({
        endpoint: own === "" ? `https://s3.${given("AWS_REGION")}.amazonaws.com` : own,
        // Services that merely speak like Amazon's seldom have a name for each bucket.
        style: own === "" ? "virtual" : "path",
        region: given("AWS_REGION"),
        bucket: name,
        prefix,
        accessKeyId: given("AWS_ACCESS_KEY_ID"),
        secretAccessKey: Redacted.make(given("AWS_SECRET_ACCESS_KEY")),
        ...(token !== "" && { sessionToken: Redacted.make(token) })
      })
    )
  })

/** The store, with what fetches files for it; refused where nothing could be kept there. Makes a folder that is missing. */
export const open = (self: MediaPlace): Effect.Effect<Layer.Layer<MediaStore | MediaSource>, CliFailure> =>
  Effect.map(self.type === "folder" ? folder(self.path) : bucket(self.bucket, self.prefix), (store) =>
    Layer.merge(store, HttpMedia.layer())
  )
