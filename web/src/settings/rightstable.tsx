// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Icon } from '../kit'
import { useQuery } from '../route/query'
import { useLoad } from './load'
import { askMay, right } from './may'
import { Answer, Section } from './parts'
import { at } from './place'
import { type Asked, actions, tableOf } from './rights'
import { items, type Project } from './types'

/** The address of the answer to a question about a right. */
export function askAt(asked: Asked, subject = '', groups = ''): string {
  const query = new URLSearchParams({ ...asked })
  if (subject) query.set('subject', subject)
  if (groups) query.set('groups', groups)
  return `${at('access')}?${query}`
}

/** What the caller may do with all there is, or with all of a project. Each answer leads to the rule behind it. */
export function RightsTable({ title }: { title: string }) {
  const { query, set } = useQuery()
  const project = query.get('of') ?? ''
  const projects = useLoad('project names', (signal) =>
    call('get', '/api/v1/projects', { query: { fields: 'items.metadata.name' } } as never, signal),
  )
  const rows = tableOf(project)
  const rights = rows.flatMap((row) => row.actions.map((action) => right(row.resource, action, row.object)))
  const answer = useLoad(`rights of ${project}`, (signal) => askMay(rights, signal))
  const names = items((projects.data as { items?: Project[] } | undefined)?.items).map((p) => p.metadata?.name ?? '')
  const used = actions.filter((action) => rows.some((row) => row.actions.includes(action)))
  return (
    <Section
      title={title}
      hint="With all of a kind; each answer leads to the rule behind it."
      flush
      actions={
        <select
          class="input"
          aria-label="Rights in"
          value={project}
          onChange={(event) => set({ of: event.currentTarget.value || undefined })}
        >
          <option value="">Everything</option>
          {[...new Set([...names, project])].filter(Boolean).map((name) => (
            <option key={name} value={name}>
              In project {name}
            </option>
          ))}
        </select>
      }
    >
      <Answer of={answer} doing="say what you may do" lines={8}>
        {(may) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
          <section class="table-scroll" aria-label="Rights" tabIndex={0}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">What</th>
                  {used.map((action) => (
                    <th key={action} scope="col">
                      {action}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.resource}>
                    <th scope="row" class="settings-rowhead">
                      {row.label}
                    </th>
                    {used.map((action) => (
                      <td key={action}>
                        {row.actions.includes(action) && (
                          <Verdict
                            asked={{ resource: row.resource, action, object: row.object }}
                            yes={may.get(right(row.resource, action, row.object)) ?? false}
                          />
                        )}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </Answer>
    </Section>
  )
}

/** Yes or no, by icon and word, with the way to the rule. */
function Verdict({ asked, yes }: { asked: Asked; yes: boolean }) {
  return (
    <a
      class={`status tone-${yes ? 'good' : 'dim'}`}
      href={askAt(asked)}
      title={`Why: ${asked.action} ${asked.resource}`}
    >
      <Icon name={yes ? 'check' : 'minus'} />
      {yes ? 'yes' : 'no'}
      <span class="unseen">
        : {asked.action} {asked.resource}
      </span>
    </a>
  )
}
