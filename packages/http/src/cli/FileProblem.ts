/** What is wrong with a file that a person named, in words. */
import { type CliFailure, refuse } from "./Failure.ts"

const common: Readonly<Record<string, string>> = {
  EISDIR: "it is a directory",
  ENOTDIR: "it lies below a file"
}

const ofReading: Readonly<Record<string, string>> = {
  ...common,
  ENOENT: "there is no such file",
  EACCES: "reading it is not permitted",
  EPERM: "reading it is not permitted",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8; save it as UTF-8"
}

const ofWriting: Readonly<Record<string, string>> = {
  ...common,
  EEXIST: "it is a file, not a folder",
  ENOENT: "its directory does not exist",
  EACCES: "writing it is not permitted",
  EPERM: "writing it is not permitted",
  EROFS: "writing it is not permitted",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk is full",
  EFBIG: "a file as large as that is not permitted"
}

const told = (name: string, cause: unknown, words: Readonly<Record<string, string>>): CliFailure => {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : ""
  return refuse(`${name}: ${words[code] ?? (cause instanceof Error ? cause.message : String(cause))}`)
}

/** `name`: what the messages call it, such as its path. */
export const reading = (name: string, cause: unknown): CliFailure => told(name, cause, ofReading)

export const writing = (name: string, cause: unknown): CliFailure => told(name, cause, ofWriting)
