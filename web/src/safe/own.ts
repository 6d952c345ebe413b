// SPDX-License-Identifier: Apache-2.0

/** What a table has of a name that somebody else wrote. "constructor" and its like are names like any other: no table has them. */
export function own<T>(table: Readonly<Record<string, T>>, name: string | undefined): T | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}
