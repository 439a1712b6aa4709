/** Jobs as a table and as JSON. Pure. */
import type { Job } from "@overture/core/job/Job"
import { format } from "@overture/core/workspace/Instant"
import { instant } from "./Json.ts"
import type { PageOptions } from "./Page.ts"
import * as Text from "./Text.ts"

const progress = ({ progress: { done, note, total } }: Job): string =>
  `${Text.number(done)}${total === null ? "" : ` of ${Text.number(total)}`}${note === "" ? "" : ` ${note}`}`

/** The lines of the table; times are in `zone`. */
export const render = (
  jobs: ReadonlyArray<Job>,
  zone: string,
  { paint }: Pick<PageOptions, "paint">
): ReadonlyArray<string> => {
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    job.cancelRequested && job.status === "running" ? "being cancelled" : job.status,
    progress(job),
    Text.dateTime(job.createdAt, zone),
    job.error ?? ""
  ])
  const head = ["job", "kind", "status", "done", "since", "trouble"]
  return Text.headed(head, rows, paint, { most: 60 })
}

/** The same as JSON. */
export const encode = ({
  createdAt,
  error,
  finishedAt,
  id,
  kind,
  progress,
  result,
  startedAt,
  status,
  subject
}: Job) => ({
  id,
  kind,
  status,
  subject,
  progress,
  result,
  error,
  createdAt: format(createdAt),
  startedAt: instant(startedAt),
  finishedAt: instant(finishedAt)
})
