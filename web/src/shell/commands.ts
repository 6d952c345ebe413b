// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { IconName } from '../kit/icon'

/** Something to do or a place to go to, by a name that people look for. */
export interface Command {
  id: string
  label: string
  /** What it belongs to: a view, an application. */
  group: string
  icon?: IconName
  /** Keys that do it: one key, or two after each other such as "g a". */
  keys?: string
  run: () => void
}

/** The commands of views that are shown at the moment. */
export const commands = signal<Command[]>([])

/** Offers commands in the palette and by their keys for as long as a view is shown. again says when they are others. */
export function useCommands(make: () => Command[], again: unknown[]) {
  useEffect(() => {
    const mine = make()
    commands.value = [...commands.value, ...mine]
    return () => {
      commands.value = commands.value.filter((c) => !mine.includes(c))
    }
  }, again)
}

/** How well a label answers what was typed: 0 not at all, more is better. Beginnings of words count most. */
export function fits(label: string, typed: string): number {
  const text = label.toLowerCase()
  const wanted = typed.toLowerCase().trim()
  if (wanted === '') return 1
  const at = text.indexOf(wanted)
  if (at === 0) return 100
  if (at > 0) return /[\s:/-]/.test(text[at - 1] ?? '') ? 80 : 50
  let from = 0
  let starts = 0
  for (const letter of wanted) {
    const found = text.indexOf(letter, from)
    if (found < 0) return 0
    if (found === 0 || /[\s:/-]/.test(text[found - 1] ?? '')) starts++
    from = found + 1
  }
  // Letters anywhere are no answer: most of them have to begin words, as in "gs" for "Go to settings".
  return starts * 2 > wanted.length ? (20 * starts) / wanted.length : 0
}

/** The commands that answer what was typed, best first; equal ones stay in their order. */
export function ranked<T extends { label: string; group: string }>(all: T[], typed: string): T[] {
  return all
    .map((c, at) => ({ c, at, fit: Math.max(fits(c.label, typed), fits(`${c.group} ${c.label}`, typed) * 0.9) }))
    .filter((one) => one.fit > 0)
    .sort((a, b) => b.fit - a.fit || a.at - b.at)
    .map((one) => one.c)
}
