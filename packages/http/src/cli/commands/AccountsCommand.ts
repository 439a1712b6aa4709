/**
 * `overture accounts`: which accounts there are and what they may do; who joins and leaves a campaign; switched on and
 * off, and what a platform said of them set and cleared by hand. A worker may be at work meanwhile.
 */
import * as Account from "@overture/core/account/Account"
import { type AccountChange, Accounts } from "@overture/core/account/Accounts"
import { AccountStore } from "@overture/core/account/AccountStore"
import { Connections } from "@overture/core/account/Connections"
import { ChannelName } from "@overture/core/channel/Address"
import { CampaignAccounts } from "@overture/core/campaign/CampaignAccounts"
import { seedKey } from "@overture/core/campaign/Campaign"
import { CampaignStore } from "@overture/core/campaign/CampaignStore"
import { format } from "@overture/core/workspace/Instant"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Engine from "../Engine.ts"
import { misuse, refuse } from "../Failure.ts"
import * as Flags from "../Flags.ts"
import * as Output from "../Output.ts"
import * as Reading from "../Reading.ts"
import * as AccountLeft from "../report/AccountLeft.ts"
import * as AccountList from "../report/AccountList.ts"
import * as Text from "../report/Text.ts"
import { workspaceZone } from "../run/Setup.ts"
import * as SecretInput from "../SecretInput.ts"
import * as Selection from "../Selection.ts"
import type { Target } from "../Target.ts"

/** What an operator may set and clear by hand. */
const reasons = [...Account.AttentionReason.literals, "banned"] as const
type Reason = (typeof reasons)[number]

const who = Argument.String("account").pipe(
  Argument.withMetavar("ACCOUNT"),
  Argument.withDescription("Its id in a campaign file, its own id (acc_…) or its name")
)
const shared = { account: who, database: Flags.database, json: Flags.json }

interface Given {
  readonly account: string
  readonly database: Target
  readonly json: boolean
}

const list = Command.make(
  "list",
  { campaign: Flags.campaign, database: Flags.database, json: Flags.json },
  ({ campaign, database, json }) =>
    Reading.over(
      database,
      Effect.gen(function* () {
        const now = yield* (yield* PacingTime).now
        const meant = Option.isNone(campaign) ? null : yield* Selection.one(campaign)
        const listed: ReadonlyArray<AccountList.Listed> =
          meant === null
            ? (yield* Selection.accounts).map((account) => ({ account, pace: null }))
            : yield* (yield* CampaignStore).paces(meant.id)
        if (json) return Output.printJson({ accounts: listed.map((one) => AccountList.encode(one, now)) })
        if (listed.length === 0) {
          return Output.say("There is no account; overture accounts connect, or a campaign file, makes one.")
        }
        const paint = Output.hasColors() ? Text.colors : Text.plain
        const zone = meant?.settings.timezone ?? workspaceZone
        Output.print(...AccountList.render(listed, meant, now, zone, { paint }))
      })
    )
).pipe(
  Command.withShortDescription("Show accounts and what each may do now"),
  Command.withDescription(
    "Shows the accounts of a database, or with --campaign those of a campaign: limits, what keeps one from sending, and until when one rests."
  ),
  Command.withExamples([{ command: "overture accounts list --campaign spring", description: "Those of one campaign" }])
)

const secretFlag = (name: "credentials" | "egress", what: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(`A file with ${what}; - reads it from stdin`),
    Flag.optional
  )

const connect = Command.make(
  "connect",
  {
    channel: Flag.String("channel").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("The channel that it is on, such as sandbox"),
      Flag.withSchema(ChannelName)
    ),
    id: Flag.String("id").pipe(
      Flag.withMetavar("EXTERNAL_ID"),
      Flag.withDescription("The platform's name for it: a page id, a number, a handle"),
      Flag.filter(
        (id) => id.trim() !== "",
        () => "Expected an id that is not empty"
      )
    ),
    ref: Flag.String("ref").pipe(
      Flag.withMetavar("REF"),
      Flag.withDescription("Its id in campaign files; that of the platform where it is left out"),
      Flag.optional
    ),
    name: Flag.String("name").pipe(Flag.withMetavar("NAME"), Flag.withDescription("For people"), Flag.optional),
    credentials: secretFlag("credentials", "what the channel needs to speak in its name"),
    egress: secretFlag("egress", "the URL of a proxy"),
    database: Flags.database,
    json: Flags.json
  },
  ({ channel, credentials, database, egress, id, json, name, ref }) =>
    Reading.settingUp(
      database,
      Effect.gen(function* () {
        if (Option.contains(credentials, "-") && Option.contains(egress, "-")) {
          return yield* misuse("--credentials and --egress cannot both come from stdin")
        }
        const secret = (flag: string, path: Option.Option<string>) =>
          Option.isNone(path) ? Effect.succeed(undefined) : SecretInput.read(flag, path.value)
        const access = {
          credentials: yield* secret("--credentials", credentials),
          egress: yield* secret("--egress", egress)
        }
        const there = (yield* (yield* AccountStore).byExternalId(channel, [id])).some(
          ({ workspace }) => workspace === Engine.workspace
        )
        const { account, created, differs } = yield* (yield* Accounts).connect(
          {
            workspace: Engine.workspace,
            channel,
            externalId: id,
            // One that is there keeps the reference that it has.
            externalRef: Option.getOrElse(ref, () => (there ? undefined : id)),
            name: Option.getOrUndefined(name),
            ...access
          },
          Engine.actor
        )
        const now = yield* (yield* PacingTime).now
        if (json) {
          return Output.printJson({ created, differs, account: AccountList.encode({ account, pace: null }, now) })
        }
        const kept = [
          ...(access.credentials === undefined ? [] : ["its credentials"]),
          ...(access.egress === undefined ? [] : ["its proxy"])
        ]
        const has =
          kept.length === 0
            ? ""
            : `; ${kept.join(" and ")} ${access.credentials === undefined ? "is" : "are"} stored, encrypted`
        const stays = differs.length === 0 ? "" : `; its ${differs.join(" and ")} stays what it was`
        Output.print(
          `${account.name} (${Account.seedKey(account)}) is ${created ? "connected" : "known already"}${has}${stays}.`
        )
      })
    )
).pipe(
  Command.withShortDescription("Add an account, or give one other credentials"),
  Command.withDescription(
    "Adds an account, which a campaign file then names by its id, or gives the one that is there other credentials. These come from a file or stdin and are stored under OVERTURE_SECRET_KEYS, which workers need too."
  ),
  Command.withExamples([
    {
      command: "overture accounts connect --channel sandbox --id nora --credentials - < token.txt",
      description: "With a token that no process list shows"
    }
  ])
)

const join = Command.make("join", { ...shared, campaign: Flags.campaign }, ({ account, campaign, database, json }) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const joining = yield* Selection.account(account)
      const joined = yield* (yield* CampaignAccounts).join(Engine.workspace, found.id, joining.id, Engine.actor)
      if (json) return Output.printJson({ account: joining.id, campaign: found.id, joined })
      Output.print(
        joined
          ? `${joining.name} is in ${found.name}: it draws people from the pool.`
          : `${joining.name} is in ${found.name} already.`
      )
    })
  )
).pipe(
  Command.withShortDescription("Let an account join a campaign"),
  Command.withDescription(
    "Gives a campaign one more account, also while it runs; one that left is in it again. Write it into the campaign's file too, or the next overture run takes it out again."
  ),
  Command.withExamples([{ command: "overture accounts join maya --campaign spring", description: "One more account" }])
)

const leave = Command.make("leave", { ...shared, campaign: Flags.campaign }, ({ account, campaign, database, json }) =>
  Reading.ofCampaign(database, campaign, (found) =>
    Effect.gen(function* () {
      const leaving = yield* Selection.account(account)
      const members = yield* (yield* CampaignStore).paces(found.id)
      if (!members.some(({ pace }) => pace.account === leaving.id && pace.leftAt === null)) {
        return yield* refuse(`account ${Account.seedKey(leaving)} is not in the campaign ${seedKey(found)}`)
      }
      const left = yield* (yield* CampaignAccounts).leave(Engine.workspace, found.id, leaving.id, Engine.actor)
      if (json) return Output.printJson({ account: leaving.id, campaign: found.id, ...left })
      Output.print(AccountLeft.line(leaving.name, left))
    })
  )
).pipe(
  Command.withShortDescription("Take an account out of a campaign"),
  Command.withDescription(
    "Takes an account out of a campaign. People it has not written to go back to the pool; with those it has, the sequence ends, or goes to another account where the campaign says onAccountLost: reassign. What is being sent is sent. The last account cannot leave."
  )
)

const probe = Command.make("probe", shared, ({ account, database, json }) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const found = yield* Selection.account(account)
      if (found.access?.egress == null) {
        return yield* refuse(`${found.name} has no proxy`, "overture accounts connect --egress FILE gives it one.")
      }
      const { at, delayMs, error } = yield* (yield* Connections).probe(Engine.workspace, found.id, Engine.actor)
      if (json) Output.printJson({ account: found.id, at: format(at), delayMs, error })
      if (error !== null) return yield* refuse(`${found.name} has no way out: ${error}`)
      if (!json) Output.print(`${found.name}: the proxy answers after ${Text.number(delayMs ?? 0)} ms.`)
    })
  )
).pipe(
  Command.withShortDescription("Try the proxy of an account"),
  Command.withDescription(
    "Asks for a page through the proxy of an account and keeps what came of it; exit code 1 where nothing came through. The page is OVERTURE_PROBE_URL, else https://example.com/. Proxies at private addresses are refused unless OVERTURE_LOCAL_PROXIES is 1."
  )
)

/** Changes an account and says how it stands. */
const change = ({ account, database, json }: Given, to: (found: Account.Account) => AccountChange) =>
  Reading.over(
    database,
    Effect.gen(function* () {
      const found = yield* Selection.account(account)
      const changed = yield* (yield* Accounts).change(Engine.workspace, found.id, to(found), Engine.actor)
      const now = yield* (yield* PacingTime).now
      if (json) return Output.printJson(AccountList.encode({ account: changed, pace: null }, now))
      Output.print(`${changed.name}: ${AccountList.stateOf(changed, now, changed.timezone ?? workspaceZone)}`)
    })
  )

const enable = Command.make("enable", shared, (given) => change(given, () => ({ enabled: true }))).pipe(
  Command.withShortDescription("Let an account send again"),
  Command.withDescription("Lets an account that was disabled send again, in all its campaigns.")
)

const disable = Command.make("disable", shared, (given) => change(given, () => ({ enabled: false }))).pipe(
  Command.withShortDescription("Stop an account in all its campaigns"),
  Command.withDescription(
    "Stops an account in all its campaigns, before its next message begins. People it has not written to go to others; follow-ups wait for it."
  )
)

const reason = Argument.Literals("reason", reasons).pipe(
  Argument.withDescription(`One of ${reasons.join(", ")}`),
  Argument.withMetavar("REASON")
)

const mark = Command.make("mark", { ...shared, reason }, ({ reason: set, ...given }) =>
  change(given, () => (set === "banned" ? { banned: true } : { setAttention: [set] }))
).pipe(
  Command.withShortDescription("Say that an account needs attention"),
  Command.withDescription(
    "Sets by hand what a platform says of an account: it sends nothing until that is cleared. A restriction also begins its warm-up again."
  ),
  Command.withExamples([
    { command: "overture accounts mark nora restricted", description: "The platform said so by letter" }
  ])
)

/** Without a reason everything that keeps it from sending, but for having been disabled. */
const cleared = (only: Option.Option<Reason | "resting">): AccountChange => {
  if (Option.isNone(only)) return { banned: false, attention: [], restingUntil: null }
  if (only.value === "banned") return { banned: false }
  return only.value === "resting" ? { restingUntil: null } : { clearAttention: [only.value] }
}

const clear = Command.make(
  "clear",
  {
    ...shared,
    reason: Argument.Literals("reason", [...reasons, "resting"] as const).pipe(
      Argument.withMetavar("REASON"),
      Argument.withDescription(`One of ${reasons.join(", ")}, resting; all of them where it is left out`),
      Argument.optional
    )
  },
  ({ reason: only, ...given }) => change(given, () => cleared(only))
).pipe(
  Command.withShortDescription("Say that an account is well again"),
  Command.withDescription(
    "Clears by hand what keeps an account from sending: one reason, its rest, or all of it. Whether the platform agrees shows with the next message."
  ),
  Command.withExamples([
    { command: "overture accounts clear nora unauthorized", description: "It was logged in again" },
    { command: "overture accounts clear nora", description: "Everything, its rest included" }
  ])
)

/** The command with its parts. */
export const command = Command.make("accounts").pipe(
  Command.withShortDescription("Show accounts; let them join, leave, stop and go on"),
  Command.withDescription(
    "Shows accounts and changes what an operator may change of them. A worker may be at work meanwhile: it holds before its next message."
  ),
  Command.withSubcommands([list, connect, probe, join, leave, enable, disable, mark, clear])
)
