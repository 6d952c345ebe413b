// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Cli, Empty, Icon } from '../kit'
import { place } from '../route/place'
import { useLoad } from './load'
import { useMay } from './may'
import { Answer, Head, Listing, Section } from './parts'
import { at } from './place'
import { items, type Project } from './types'

const create = 'projects, create, *'

/** All projects that the caller may see. */
export function ProjectsPage() {
  const answer = useLoad('projects', (signal) => call('get', '/api/v1/projects', {}, signal))
  const may = useMay([create])
  const add = may(create) && (
    <a class="button button-primary" href={at('projects', 'new')}>
      <Icon name="plus" />
      New project
    </a>
  )
  return (
    <>
      <Head title="Projects" actions={add}>
        What applications may be made of, where they may go, and who may do what with them.
      </Head>
      <Section title="All projects" flush>
        <Answer of={answer} doing="list the projects">
          {(list) => (
            <Listing
              of="projects"
              noun="project"
              rows={items(list.items as Project[])}
              keyOf={(p) => p.metadata?.name ?? ''}
              texts={(p) => [p.metadata?.name, p.spec?.description, ...items(p.spec?.sourceRepos)]}
              columns={[
                {
                  label: 'Project',
                  cell: (p) => <a href={at('projects', p.metadata?.name ?? '')}>{p.metadata?.name}</a>,
                },
                { label: 'Description', cell: (p) => p.spec?.description || <span class="faint">none</span> },
                { label: 'Sources', end: true, wide: true, cell: (p) => items(p.spec?.sourceRepos).length },
                { label: 'Destinations', end: true, wide: true, cell: (p) => items(p.spec?.destinations).length },
                { label: 'Roles', end: true, cell: (p) => items(p.spec?.roles).length },
                { label: 'Windows', end: true, wide: true, cell: (p) => items(p.spec?.syncWindows).length },
                {
                  label: 'Applications',
                  wide: true,
                  cell: (p) => (
                    <a href={place('/applications', { projects: p.metadata?.name })}>
                      Show<span class="unseen"> applications of {p.metadata?.name}</span>
                    </a>
                  ),
                },
              ]}
              empty={
                <Empty icon="folder" title="There is no project that you may see" action={add || undefined}>
                  Ask an administrator for the right to get one, or make one.
                  <Cli command={['proj', 'create', 'NAME', '--src', 'REPOSITORY', '--dest', 'SERVER,NAMESPACE']} />
                </Empty>
              }
            />
          )}
        </Answer>
      </Section>
    </>
  )
}
