// SPDX-License-Identifier: Apache-2.0

import { effect, signal } from '@preact/signals'
import { call } from '../api'
import { session } from '../session/signal'

/** Whether the reader may create applications, in any project; undefined before it is known. */
export const mayCreate = signal<boolean | undefined>(undefined)

/** How many rights are asked for at once: the question is an address, and these are bounded. */
const atOnce = 40

let asked = false

effect(() => {
  if (session.value.is === 'out') {
    asked = false
    mayCreate.value = undefined
  }
})

/** Learns whether the reader may create applications. What cannot be learnt is not offered; the next look at the list asks again. */
export async function learnMayCreate() {
  if (asked) return
  asked = true
  try {
    mayCreate.value = await anyProject(await projectNames())
  } catch {
    asked = false
  }
}

async function projectNames(): Promise<string[]> {
  const projects = await call('get', '/api/v1/projects', {})
  const names = (projects.items ?? []).map((p) => p.metadata?.name ?? '').filter(Boolean)
  return names.length > 0 ? names : ['default']
}

async function anyProject(projects: string[]): Promise<boolean> {
  for (let from = 0; from < projects.length; from += atOnce) {
    const rights = projects.slice(from, from + atOnce).map((p) => `applications, create, ${p}/*`)
    const answer = await call('get', '/api/bowline/v1/may', { query: { rights } })
    if (answer.allowed?.includes(true)) return true
  }
  return false
}
