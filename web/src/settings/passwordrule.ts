// SPDX-License-Identifier: Apache-2.0

/**
 * What is wrong with a new password, as far as the page can tell; undefined if nothing is. A pattern that only the server can read
 * is left to it.
 */
export function passwordProblem(pattern: string | undefined, fresh: string, again: string): string | undefined {
  if (fresh === '') return undefined
  if (pattern && !matches(pattern, fresh)) return `It has to match ${pattern}`
  if (again !== '' && again !== fresh) return 'The two are not the same'
  return undefined
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(text)
  } catch {
    return true
  }
}

/** What a pattern of passwords says, for people; the usual ones in words. */
export function patternWords(pattern: string | undefined): string {
  const lengths = /^\^\.\{(\d+),(\d*)\}\$$/.exec(pattern ?? '')
  if (!pattern) return ''
  if (!lengths) return `It has to match ${pattern}`
  return lengths[2] ? `${lengths[1]} to ${lengths[2]} characters` : `At least ${lengths[1]} characters`
}
