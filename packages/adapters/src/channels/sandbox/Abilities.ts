/** What the sandbox can do and allows, unless its script or its host says otherwise. */
import type { Capabilities } from "@overture/core/channel/Capability"
import type { ChannelPolicy } from "@overture/core/channel/ChannelPolicy"
import type { Script } from "./Script.ts"

/** What may be switched: all but what the script says elsewhere. */
export type Switches = Partial<Omit<Capabilities, "idempotencyKeys" | "lookup">>

/** What the script and the host make of the usual capabilities. */
export const capabilities = (script: Script, others: Switches = {}): Capabilities => ({
  text: { maxLength: 4096, unit: "characters" },
  media: ["image", "video", "audio", "file"],
  buttons: 3,
  approvedTemplates: true,
  preContact: true,
  reactions: true,
  edits: true,
  deletions: true,
  replies: true,
  receipts: ["delivered", "read"],
  idempotencyKeys: script.idempotencyKeys,
  lookup: script.lookup,
  polling: true,
  addressScope: "channel",
  phoneNumbers: false,
  privateReplies: true,
  verification: true,
  mediaIntake: { by: "either" },
  profile: {
    name: { maxLength: 60 },
    about: { maxLength: 500 },
    image: { mime: "image/jpeg", maxWidth: 640, maxHeight: 640, maxBytes: 200_000, cut: true },
    banner: { mime: "image/jpeg", maxWidth: 1500, maxHeight: 500, maxBytes: 500_000, cut: false }
  },
  ...script.capabilities,
  ...others
})

/** What they make of the usual policy: everything is allowed. */
export const policy = ({ policy, replyWindow }: Script, others: Partial<ChannelPolicy> = {}): ChannelPolicy => {
  const declared = replyWindow?.declared === true ? replyWindow.afterMs : null
  return {
    official: true,
    personWritesFirst: false,
    optInRequired: false,
    automationAllowed: true,
    replyWindow: { automatedMs: declared, humanMs: declared },
    ...policy,
    ...others
  }
}
