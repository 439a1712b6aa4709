/** Where the bytes of a file are that came with a message. Its URL is not always enough, and not always one at all. */

export type Download =
  /** To be fetched by us, with what lets us in. That is sent to the host of the URL alone. */
  | { readonly type: "request"; readonly url: string; readonly headers?: Readonly<Record<string, string>> | undefined }
  | {
      readonly type: "bytes"
      readonly bytes: Uint8Array
      readonly mime?: string | undefined
      readonly filename?: string | undefined
    }
  /** `gone` is final; for the others the platform is asked again later. */
  | { readonly type: "unavailable"; readonly reason: "gone" | "refused" | "unreachable"; readonly detail: string }
