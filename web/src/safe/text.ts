// SPDX-License-Identifier: Apache-2.0

// Signs that turn the direction of the text behind them (Unicode Standard Annex 9, section 2): with them a text of code can read as
// another one than it is (CVE-2021-42574).
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** A text of code as it is: signs that would turn its direction are written out. */
export function upright(text: string): string {
  return text.replace(turning, (sign) => `⟨U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`)
}

/** Who wrote a commit, without the address behind the name. */
export function authorOf(text: string): string {
  const address = text.indexOf('<')
  return address < 0 || !text.endsWith('>') ? text : text.slice(0, address).trimEnd()
}
