// SPDX-License-Identifier: Apache-2.0

/** Whether every word of a search stands in one of the texts, letter case aside. */
export function found(search: string, ...texts: (string | undefined | null)[]): boolean {
  const all = texts.join('\n').toLowerCase()
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}

/** A count with its noun: "1 project", "3 projects". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

/** The lines of a field where each line is one value; blank lines and blanks around are nothing. */
export function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
