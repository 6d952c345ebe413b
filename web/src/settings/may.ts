// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { useLoad } from './load'
import { items } from './types'

/** How many rights are asked for in one call: they stand in its address. */
const atOnce = 60

/** Asks which of some rights the caller has, each written as policies write it: "projects, update, shop". */
export async function askMay(rights: string[], signal?: AbortSignal): Promise<Map<string, boolean>> {
  const out = new Map<string, boolean>()
  for (let from = 0; from < rights.length; from += atOnce) {
    const part = rights.slice(from, from + atOnce)
    const answer = await call('get', '/api/bowline/v1/may', { query: { rights: part } }, signal)
    const allowed = items(answer.allowed)
    for (const [at, right] of part.entries()) out.set(right, allowed[at] ?? false)
  }
  return out
}

/**
 * Which of some rights the caller has. What is not answered yet is no right: a button that comes is better than one that goes. It
 * is asked again each time a view opens, for roles change.
 */
export function useMay(rights: string[]): (right: string) => boolean {
  const answer = useLoad(`may ${rights.join('\n')}`, (signal) => askMay(rights, signal))
  return (right) => answer.data?.get(right) ?? false
}

/** A right on one thing. What belongs to a project is named with it. */
export function right(resource: string, action: string, object: string, project = ''): string {
  return `${resource}, ${action}, ${project ? `${project}/${object}` : object}`
}
