/**
 * What must hold after a scenario, read from the database and from what the platforms received. S are the parts that the
 * database calls sent, F the lines that people really got: every violation is a sentence.
 */
import * as SentLog from "@overture/adapters/channels/sandbox/SentLog"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import * as Message from "@overture/core/chat/Message"
import type { MessageId } from "@overture/core/workspace/Id"
import { WorkspaceStore } from "@overture/core/workspace/WorkspaceStore"
import { Effect } from "effect"
import { existsSync } from "node:fs"
import { ask } from "./Engine.ts"
import type { Ledger, MessageRow } from "./Ledger.ts"
import { kindOf, logOf, type Mode, modes, type Setting } from "./Setting.ts"
import { budgetsOf, eventsOf, leadsOf, optOutsOf } from "./bookkeeping.ts"
import { sentence } from "./sentence.ts"

/** What the faults of a scenario may have cost. */
export interface Allowed {
  /** Messages that were being sent when their worker was lost: these alone may be unknown, beside cut connections. */
  readonly unknown: ReadonlySet<string>
  /** How many may be unknown beyond them: what a lost database leaves. */
  readonly unknownBeyond: number
}

export interface Verdict {
  readonly sent: number
  readonly received: number
  readonly repeats: number
  readonly unknown: number
  readonly violations: ReadonlyArray<string>
}

const isSent = ({ status }: MessageRow) => status === "sent" || status === "delivered" || status === "read"
const isUnknown = ({ reason, status }: MessageRow) => status === "failed" && reason === "outcomeUnknown"
/**
 * Whether a lost send should have been found out: by looking, or by sending it again under its key. The latter is not done
 * for someone who answered or opted out meanwhile: it could be the first time that it arrives.
 */
const canBeKnown =
  (kind: Mode) =>
  ({ stop }: MessageRow): boolean =>
    kind === "lookup" || (kind === "keys" && stop === null)
/** Whether a send may have come to nothing that anybody knows although its worker lived on. */
const mayBeCut = ({ cut }: Setting, kind: Mode): boolean => cut && kind === "plain"
const keyOf = ({ id, tries }: MessageRow) => Message.idempotencyKey({ id: id as MessageId, tries })

/** What reached a platform; a line that a killed writer cut off is none. */
const linesOf = (setting: Setting, mode: Mode): ReadonlyArray<SentLog.Received> => {
  const path = logOf(setting, mode)
  const lines: Array<SentLog.Received> = []
  if (existsSync(path)) SentLog.file(path, (line) => void lines.push(line)).close()
  return lines
}

/** Those that occur more than once. */
const twice = (values: Iterable<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  const found = new Set<string>()
  for (const value of values) (seen.has(value) ? found : seen).add(value)
  return [...found]
}

const ofMode = (
  setting: Setting,
  mode: Mode,
  rows: ReadonlyArray<MessageRow>,
  lines: ReadonlyArray<SentLog.Received>,
  allowed: Allowed
) => {
  const said = (what: string, offenders: Iterable<string>) => sentence(`${mode}: ${what}`, offenders)
  const accepted = lines.filter(({ outcome, repeat }) => outcome === "accepted" && !repeat)
  const received = new Set(accepted.map(({ key }) => key))
  const sent = rows.filter(isSent)
  const unknown = rows.filter(isUnknown)
  const sentKeys = new Set(sent.map(keyOf))
  const unknownKeys = new Set(unknown.map(keyOf))
  const kind = kindOf(setting, mode)
  const unexplained = mayBeCut(setting, kind) ? [] : unknown
  return {
    sent: sent.length,
    received: accepted.length,
    repeats: lines.filter(({ repeat }) => repeat).length,
    unknown: unknown.length,
    unexplained: unexplained.length,
    violations: [
      ...said(
        "sent in the database, never received",
        [...sentKeys].filter((key) => !received.has(key))
      ),
      ...said(
        "received, neither sent nor unknown in the database",
        [...received].filter((key) => !sentKeys.has(key) && !unknownKeys.has(key))
      ),
      ...said("keys received twice", twice(accepted.map(({ key }) => key))),
      ...said("messages received under two keys", twice(accepted.map(({ key }) => key.split(".")[0] ?? key))),
      ...said("texts that one person received twice", twice(accepted.map(({ body, to }) => `${to} "${body}"`))),
      ...said("unknown although one can find out", unknown.filter(canBeKnown(kind)).map(keyOf)),
      ...(allowed.unknownBeyond > 0
        ? []
        : said(
            "unknown that no lost worker was sending",
            unexplained.filter(({ id }) => !allowed.unknown.has(id)).map(keyOf)
          ))
    ]
  }
}

/** The counters of every campaign against a recount. */
const countsOf = (setting: Setting): Promise<ReadonlyArray<string>> =>
  ask(
    setting,
    Effect.gen(function* () {
      const store = yield* CampaignStore
      const wrong: Array<string> = []
      for (const workspace of yield* (yield* WorkspaceStore).list) {
        for (const { id, name } of (yield* store.list(workspace.id, { limit: 100 })).data) {
          const [counts, recount] = [yield* store.counts(id), yield* store.recount(id)]
          const differing = Object.keys(recount).filter(
            (key) => counts[key as keyof typeof counts] !== recount[key as keyof typeof recount]
          )
          for (const key of differing) {
            wrong.push(
              `${name} ${key} ${counts[key as keyof typeof counts]}, not ${recount[key as keyof typeof recount]}`
            )
          }
        }
      }
      return wrong
    })
  )

/** Judges a setting whose campaigns are finished and whose workers are gone. */
export const judge = async (setting: Setting, ledger: Ledger, allowed: Allowed): Promise<Verdict> => {
  const rows = await ledger.messages()
  const each = modes.map((mode) =>
    ofMode(
      setting,
      mode,
      rows.filter(({ channel }) => channel === mode),
      linesOf(setting, mode),
      allowed
    )
  )
  const sum = (of: (one: (typeof each)[number]) => number) => each.reduce((total, one) => total + of(one), 0)
  const unknown = sum((one) => one.unknown)
  const unexplained = sum((one) => one.unexplained)
  const most = allowed.unknown.size + allowed.unknownBeyond
  const claims = await ledger.rows<{ readonly id: string }>("select id from overture_claim")
  return {
    sent: sum((one) => one.sent),
    received: sum((one) => one.received),
    repeats: sum((one) => one.repeats),
    unknown,
    violations: [
      ...each.flatMap(({ violations }) => violations),
      ...(unexplained > most
        ? [`${unexplained} unknown, at most ${most} were being sent when their worker was lost`]
        : []),
      ...sentence(
        "claims left",
        claims.map(({ id }) => id)
      ),
      ...sentence(
        "messages left on their way",
        rows
          .filter(({ status }) => status === "sending" || status === "queued")
          .map(({ id, status }) => `${id} ${status}`)
      ),
      ...(await leadsOf(ledger)),
      ...(await eventsOf(ledger)),
      ...(await optOutsOf(ledger, rows)),
      ...(await budgetsOf(setting, ledger, rows)),
      ...sentence("counters that differ from a recount", await countsOf(setting))
    ]
  }
}
