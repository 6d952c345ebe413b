// SPDX-License-Identifier: Apache-2.0

// The words of policies: docs/reference/roles.md has them.

/** What rights are about, with the actions that each has, and whether its objects always, may, or never belong to a project. */
export const subjects: {
  resource: string
  label: string
  actions: string[]
  projects: 'always' | 'some' | 'never'
  object: string
}[] = [
  {
    resource: 'applications',
    label: 'Applications',
    actions: ['get', 'create', 'update', 'delete', 'sync', 'rollback', 'override', 'action/*'],
    projects: 'always',
    object: 'PROJECT/NAME, or PROJECT/NAMESPACE/NAME.',
  },
  {
    resource: 'applicationsets',
    label: 'Application sets',
    actions: ['get', 'create', 'update', 'delete'],
    projects: 'always',
    object: 'PROJECT/NAME.',
  },
  {
    resource: 'logs',
    label: 'Logs',
    actions: ['get'],
    projects: 'always',
    object: 'PROJECT/NAME, as of its application.',
  },
  {
    resource: 'exec',
    label: 'Terminals',
    actions: ['create'],
    projects: 'always',
    object: 'PROJECT/NAME, as of its application.',
  },
  {
    resource: 'repositories',
    label: 'Repositories',
    actions: ['get', 'create', 'update', 'delete'],
    projects: 'some',
    object: 'The URL, or PROJECT/URL.',
  },
  {
    resource: 'write-repositories',
    label: 'Repositories to write to',
    actions: ['get', 'create', 'update', 'delete'],
    projects: 'some',
    object: 'The URL, or PROJECT/URL.',
  },
  {
    resource: 'clusters',
    label: 'Clusters',
    actions: ['get', 'create', 'update', 'delete'],
    projects: 'some',
    object: 'The URL, or PROJECT/URL.',
  },
  {
    resource: 'projects',
    label: 'Projects',
    actions: ['get', 'create', 'update', 'delete'],
    projects: 'never',
    object: 'The name.',
  },
  { resource: 'accounts', label: 'Accounts', actions: ['get', 'update'], projects: 'never', object: 'The name.' },
  {
    resource: 'certificates',
    label: 'Certificates',
    actions: ['get', 'create', 'delete'],
    projects: 'never',
    object: 'Always *.',
  },
  {
    resource: 'gpgkeys',
    label: 'GPG keys',
    actions: ['get', 'create', 'delete'],
    projects: 'never',
    object: 'The key.',
  },
  { resource: 'extensions', label: 'Extensions', actions: ['invoke'], projects: 'never', object: 'The name.' },
]

/** Every action, in the order in which tables have them. */
export const actions = ['get', 'create', 'update', 'delete', 'sync', 'rollback', 'override', 'action/*', 'invoke']

/** What is asked about one application. */
export const questions: { words: string; resource: string; action: string }[] = [
  { words: 'See it', resource: 'applications', action: 'get' },
  { words: 'Sync it', resource: 'applications', action: 'sync' },
  { words: 'Roll it back', resource: 'applications', action: 'rollback' },
  { words: 'Sync it from local files', resource: 'applications', action: 'override' },
  { words: 'Run actions on its objects', resource: 'applications', action: 'action/*' },
  { words: 'Read logs', resource: 'logs', action: 'get' },
  { words: 'Open a terminal', resource: 'exec', action: 'create' },
  { words: 'Change it', resource: 'applications', action: 'update' },
  { words: 'Create it', resource: 'applications', action: 'create' },
  { words: 'Delete it', resource: 'applications', action: 'delete' },
]

/** A right that is asked for. */
export interface Asked {
  resource: string
  action: string
  object: string
}

/** The object that stands for all that a resource has, in a project or everywhere; undefined if a project has none of it. */
export function allOf(resource: string, project: string): string | undefined {
  const projects = subjects.find((one) => one.resource === resource)?.projects
  if (project === '') return projects === 'always' ? '*/*' : '*'
  if (projects !== 'never') return `${project}/*`
  return resource === 'projects' ? project : undefined
}

/** The rights of a table of what somebody may do in a project, or everywhere. */
export function tableOf(project: string): { label: string; resource: string; object: string; actions: string[] }[] {
  return subjects.flatMap(({ label, resource, actions: has }) => {
    const object = allOf(resource, project)
    return object === undefined ? [] : [{ label, resource, object, actions: has }]
  })
}

/** An application as policies name it: without the namespace if it is the control namespace. */
export function objectOf(app: { project?: string; namespace?: string; name?: string }, control: string): string {
  const parts = [app.project ?? '', app.namespace === control ? '' : (app.namespace ?? ''), app.name ?? '']
  return parts.filter((part) => part !== '').join('/')
}

/** The command that asks the same. */
export function explainCommand(asked: Asked, subject: string, groups: string[]): string[] {
  const command = ['account', 'explain', asked.action, asked.resource, asked.object]
  if (subject) command.push('--subject', subject)
  if (groups.length > 0) command.push('--groups', groups.join(','))
  return command
}

/** The names in a field of groups, with commas between them. */
export function groupsOf(text: string): string[] {
  return text
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
}
