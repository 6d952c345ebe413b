// SPDX-License-Identifier: Apache-2.0

// Lines of the policies of a project's role: p, proj:<project>:<role>, <resource>, <action>, <object>, allow|deny.
// docs/reference/roles.md has the words.

import { items, type Role } from './types'

/** The resources that a role of a project can be given rights on, with the actions that each has. */
export const resources: Record<string, string[]> = {
  applications: ['get', 'create', 'update', 'delete', 'sync', 'rollback', 'override', 'action/*', '*'],
  applicationsets: ['get', 'create', 'update', 'delete', '*'],
  logs: ['get', '*'],
  exec: ['create', '*'],
  repositories: ['get', 'create', 'update', 'delete', '*'],
  clusters: ['get', 'create', 'update', 'delete', '*'],
}

/** A policy in its parts; one that is not of that form is kept as the raw line alone. */
export interface Policy {
  resource: string
  action: string
  object: string
  effect: string
  raw?: string
}

/** The subject of a role's policies. */
export function subjectOf(project: string, role: string): string {
  return `proj:${project}:${role}`
}

/** Reads a line that is about a subject. What cannot be read, or is about somebody else, stays as it is. */
export function parsePolicy(line: string, subject: string): Policy {
  const parts = line.split(',').map((part) => part.trim())
  const [kind, who, resource, action, object, effect] = parts
  const readable = parts.length === 6 && kind === 'p' && who === subject && (effect === 'allow' || effect === 'deny')
  if (!readable || !resource || !action || !object) {
    return { resource: '', action: '', object: '', effect: '', raw: line }
  }
  return { resource, action, object, effect }
}

/** Writes a policy as a line. */
export function writePolicy(policy: Policy, subject: string): string {
  if (policy.raw !== undefined) return policy.raw
  return ['p', subject, policy.resource, policy.action, policy.object, policy.effect].map((s) => s.trim()).join(', ')
}

/** What is wrong with a policy, as far as the page can tell; undefined if nothing is. */
export function policyProblem(policy: Policy, project: string, all: Policy[] = []): string | undefined {
  if (policy.raw !== undefined)
    return 'This line cannot be read, and so the role has no rights: take it out or correct it'
  if (!(policy.resource in resources)) return `Choose a resource: ${Object.keys(resources).join(', ')}`
  if (!policy.action.trim()) return 'Say what may be done, such as get or sync'
  const rest = policy.object.trim().startsWith(`${project}/`) ? policy.object.trim().slice(project.length + 1) : ''
  if (rest === '') return `The object has to be in the project: ${project}/* or ${project}/NAME`
  if (policy.effect !== 'allow' && policy.effect !== 'deny') return 'Choose allow or deny'
  const line = writePolicy(policy, '')
  if (all.filter((one) => writePolicy(one, '') === line).length > 1) return 'The same policy stands here twice'
  return undefined
}

/** What to type on the command line for the change from one role to another, whose project has the name. */
export function roleCommands(project: string, before: Role, after: Role): string[][] {
  const name = after.name || 'ROLE'
  const subject = subjectOf(project, after.name ?? '')
  const out: string[][] = before.name ? [] : [['proj', 'role', 'create', project, name]]
  const was = items(before.policies)
  const now = items(after.policies)
  const rule = (verb: string, line: string) => {
    const p = parsePolicy(line, subject)
    if (p.raw !== undefined) return
    const object = p.object.startsWith(`${project}/`) ? p.object.slice(project.length + 1) : p.object
    out.push([
      ...['proj', 'role', verb, project, name, '--resource', p.resource, '--action', p.action, '--object', object],
      ...['--permission', p.effect],
    ])
  }
  for (const line of now) if (!was.includes(line)) rule('add-policy', line)
  for (const line of was) if (!now.includes(line)) rule('remove-policy', line)
  for (const g of items(after.groups)) {
    if (!items(before.groups).includes(g)) out.push(['proj', 'role', 'add-group', project, name, g])
  }
  for (const g of items(before.groups)) {
    if (!items(after.groups).includes(g)) out.push(['proj', 'role', 'remove-group', project, name, g])
  }
  return out
}

/** What a policy says, for people. */
export function policyWords(policy: Policy): string {
  if (policy.raw !== undefined) return policy.raw
  const may = policy.effect === 'allow' ? 'may' : 'must not'
  const what = policy.action === '*' ? 'do everything with' : policy.action
  return `${may} ${what} ${policy.resource} ${policy.object}`
}
