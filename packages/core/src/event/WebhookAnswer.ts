/** What an endpoint answered, and whether that is a success. */

/** What came of one request. */
export type Answer =
  | {
      readonly status: number
      /** The beginning of the body, as text. */
      readonly body: string
      /** What the endpoint asked to wait, milliseconds; 0 = nothing. */
      readonly retryAfterMs: number
    }
  /** There was no answer; the words name no secret. */
  | { readonly status: null; readonly problem: string }

/** Whether an endpoint took it. */
export const isSuccess = ({ status }: Answer): boolean => status !== null && status >= 200 && status < 300

/** Why an answer is a failure, in words. */
export const problemOf = (answer: Answer): string | null => {
  if (answer.status === null) return answer.problem
  if (isSuccess(answer)) return null
  if (answer.status >= 300 && answer.status < 400) return `answered ${answer.status}: redirects are not followed`
  return `answered ${answer.status}`
}
