/**
 * Contacts as CSV (RFC 4180, UTF-8, CRLF), in the columns that an import reads back: a list that is exported and imported
 * again is the same people with the same data. One row is one contact with its first address.
 */
import type { Contact } from "./Contact.ts"
import type { RowProblem } from "./ContactRow.ts"

export interface CsvOptions {
  /**
   * The channels whose external ids are phone numbers: theirs stand in the column phone, else the attribute of that name;
   * and beside them, the attribute externalId in the column of that name.
   */
  readonly phoneChannels: ReadonlySet<string>
  /**
   * Puts an apostrophe before what a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, tab, carriage return), for
   * files that people open. Phone numbers begin with `+`, so such a file is not for importing again. @default false
   */
  readonly forSpreadsheets?: boolean | undefined
}

const fixed = ["externalId", "channel", "name", "first", "last", "phone", "timezone", "externalRef", "tags"] as const

const formula = /^[=+\-@\t\r]/
const special = /[",\r\n;\t]|^\s|\s$/

/** Writes a cell. `forSpreadsheets` as in `CsvOptions`. */
export const cellOf =
  (forSpreadsheets: boolean) =>
  (value: string): string => {
    const text = forSpreadsheets && formula.test(value) ? `'${value}` : value
    return special.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }

const titles = new Set(["id", "email", ...fixed.map((title) => title.toLowerCase())])

/** Titles of attributes that an import would not take for a column of its own. */
export const attributeColumns = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.filter((name) => name.trim() === name && name !== "" && (name === "email" || !titles.has(name.toLowerCase())))

/** The header and the rows of a file whose attributes are `attributes`. */
export const encoder = (attributes: ReadonlyArray<string>, options: CsvOptions) => {
  const cell = cellOf(options.forSpreadsheets === true)
  const line = (cells: ReadonlyArray<string>) => `${cells.join(",")}\r\n`
  return {
    header: line([...fixed, ...attributes].map(cell)),
    row: (contact: Contact): string => {
      const [first] = contact.addresses
      const phone = contact.addresses.find(({ channel }) => options.phoneChannels.has(channel))
      const isPhone = first !== undefined && options.phoneChannels.has(first.channel)
      let text = [
        (isPhone ? contact.attributes["externalId"] : undefined) ?? first?.externalId ?? "",
        first?.channel ?? "",
        contact.name,
        contact.first ?? "",
        contact.last ?? "",
        phone?.externalId ?? contact.attributes["phone"] ?? "",
        contact.timezone ?? "",
        contact.externalRef ?? "",
        contact.tags.join(";")
      ]
        .map(cell)
        .join(",")
      for (const name of attributes) {
        text += `,${Object.hasOwn(contact.attributes, name) ? cell(contact.attributes[name]!) : ""}`
      }
      return `${text}\r\n`
    }
  }
}

/** The header of a report of rows that were left out. */
export const problemHeader = "line,column,reason,value\r\n"

/** A row of that report. It is for people to open, so nothing in it is taken for a formula. */
export const problemRow = ({ column, line, reason, value }: RowProblem): string =>
  `${[String(line), column, reason, value].map(cellOf(true)).join(",")}\r\n`
