/**
 * A transaction under way: who may still send on its connection, and what goes along with its `begin`. A text that writes
 * never runs outside it.
 */
import type { StorageError } from "@overture/core/workspace/StorageError"
import { type Connection, TransactionRefused } from "./Connection.ts"

/** A transaction under way, shared by all who joined it. */
export interface Session {
  readonly connection: Connection
  /** The answer to `begin`, while statements may be sent before it has come. */
  opening: Promise<void> | undefined
  /** A text waits for that answer, and so do all after it. */
  waits: boolean
  /** The host began it and will end it. */
  readonly isHosts: boolean
  hot: boolean
  failed: boolean
  ended: boolean
  /** The failure of a text that nobody waited for, or one that passes: what everything after it fails with. */
  refusal: StorageError | undefined
}

/** Its end has come. */
export const ended = new TransactionRefused({
  reason: "the transaction has ended; a fiber it forked is still using it"
})
/** A statement of it failed, so PostgreSQL rolled it back. */
export const aborted = new TransactionRefused({
  reason: "a statement failed and its failure was caught, so it was rolled back"
})

/** One that is about to begin, or that the host began. */
export const make = (connection: Connection, { hot, isHosts }: Pick<Session, "hot" | "isHosts">): Session => ({
  connection,
  opening: undefined,
  waits: false,
  isHosts,
  hot,
  failed: false,
  ended: false,
  refusal: undefined
})

/** Begins a transaction; where texts need not wait for each other, its answer is waited for with the first statement's. */
export const open = (session: Session, begin: string): void | Promise<void> => {
  const answer = session.connection.script(begin)
  if (!session.connection.pipelined || answer === undefined) return answer
  session.opening = answer
  answer.then(
    () => {
      session.opening = undefined
    },
    // Stays, so that every statement fails by it.
    () => {}
  )
}

/** What a statement may do with its connection. */
export type Sender = Pick<Connection, "send" | "script">

/**
 * Sends a text after `begin`. Had that been refused, what follows would run outside any transaction: so texts that write
 * nothing go along with it, and others wait for its answer.
 */
export const afterBegin = <A>(session: Session, writes: boolean, send: () => A | Promise<A>): A | Promise<A> => {
  const { opening } = session
  if (opening === undefined) return send()
  session.waits ||= writes
  return session.waits ? opening.then(send) : Promise.all([opening, send()]).then(([, answer]) => answer)
}

/** The connection of a transaction for those inside it: refuses once the transaction is over. */
export const guarded = (session: Session): Sender => {
  const open = () => {
    if (session.ended) throw ended
    if (!session.connection.holdsTransaction()) throw aborted
    return session.connection
  }
  return {
    send: (text, parameters, id) =>
      afterBegin(session, !text.startsWith("select"), () => open().send(text, parameters, id)),
    script: (text) => afterBegin(session, true, () => open().script(text))
  }
}
