// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Failure, Icon, Tabs, Time, toast } from '../kit'
import { place } from '../route/place'
import { useQuery } from '../route/query'
import { type Loaded, useDoing, useLoad } from './load'
import { right, useMay } from './may'
import { Answer, Head, Section, Table, Words, YesNo } from './parts'
import { at } from './place'
import { ProjectEditor } from './projecteditor'
import { Roles } from './roles'
import { items, type Project } from './types'
import { Windows } from './windows'

/** One project: its rules, roles, windows, what other projects add, and what happened to it. */
export function ProjectPage({ name }: { name: string }) {
  const answer = useLoad(`project ${name}`, (signal) =>
    call('get', '/api/v1/projects/{name}', { path: { name } }, signal),
  ) as Loaded<Project>
  return (
    <>
      {answer.data === undefined && <Head title={name} up={{ to: at('projects'), label: 'Projects' }} />}
      <Answer of={answer} doing={`show project ${name}`} lines={8}>
        {(project) => <One name={name} project={project} reload={answer.reload} />}
      </Answer>
    </>
  )
}

function One({ name, project, reload }: { name: string; project: Project; reload: () => Promise<void> }) {
  const { query, set } = useQuery()
  const update = right('projects', 'update', name)
  const remove = right('projects', 'delete', name)
  const may = useMay([update, remove])
  const [deleting, setDeleting] = useState(false)
  const tab = query.get('tab') ?? 'rules'
  if (query.get('edit') && may(update)) {
    return (
      <ProjectEditor
        key={project.metadata?.uid}
        project={project}
        onDone={(saved) => {
          if (saved) void reload()
          set({ edit: undefined })
        }}
      />
    )
  }
  return (
    <>
      <Head
        title={name}
        up={{ to: at('projects'), label: 'Projects' }}
        actions={
          <>
            <a class="button" href={place('/applications', { projects: name })}>
              <Icon name="list" />
              Applications
            </a>
            {may(update) && (
              <Button icon="edit" onClick={() => set({ edit: 'yes' }, true)}>
                Edit
              </Button>
            )}
            {may(remove) && (
              <Button icon="trash" onClick={() => setDeleting(true)}>
                Delete
              </Button>
            )}
          </>
        }
      >
        {project.spec?.description}
      </Head>
      <Tabs
        label="Project"
        chosen={tab}
        onChoose={(id) => set({ tab: id }, true)}
        tabs={[
          { id: 'rules', label: 'Rules' },
          { id: 'roles', label: 'Roles', extra: <Count of={items(project.spec?.roles).length} /> },
          { id: 'windows', label: 'Sync windows', extra: <Count of={items(project.spec?.syncWindows).length} /> },
          { id: 'effect', label: 'In effect' },
          { id: 'events', label: 'Events' },
        ]}
      >
        <div class="settings-view">
          {tab === 'rules' && <Rules project={project} />}
          {tab === 'roles' && <Roles project={project} may={may(update)} reload={reload} />}
          {tab === 'windows' && <Windows project={project} may={may(update)} reload={reload} />}
          {tab === 'effect' && <Effect name={name} />}
          {tab === 'events' && <Events name={name} />}
        </div>
      </Tabs>
      {deleting && <Delete name={name} onClose={() => setDeleting(false)} />}
    </>
  )
}

const Count = ({ of }: { of: number }) => <span class="faint tabular">{of}</span>

function Delete({ name, onClose }: { name: string; onClose: () => void }) {
  const { route } = useLocation()
  const doing = useDoing()
  const remove = () =>
    doing.run(async () => {
      await call('delete', '/api/v1/projects/{name}', { path: { name } })
      toast(`Deleted project ${name}`)
      route(at('projects'))
    })
  return (
    <ConfirmByName
      title="Delete project"
      name={name}
      verb="Delete"
      busy={doing.busy}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>Its rules, its roles and their tokens end. A project that applications are of cannot be deleted.</p>
      {doing.error && <Failure error={doing.error} doing="delete it" />}
      <Cli command={['proj', 'delete', name]} />
    </ConfirmByName>
  )
}

/** The rules of a project, for reading. */
export function Rules({ project }: { project: Project }) {
  const spec = project.spec ?? {}
  const kinds = (list: { group?: string; kind?: string; name?: string }[] | null | undefined) =>
    items(list).map((k) => [k.group || 'core', k.kind, k.name].filter(Boolean).join('/'))
  return (
    <>
      <Section title="What may be deployed, and where">
        <dl class="facts">
          <dt>Sources</dt>
          <dd>
            <Words of={items(spec.sourceRepos)} none="none: nothing may be deployed" />
          </dd>
          <dt>Applications in</dt>
          <dd>
            <Words of={items(spec.sourceNamespaces)} none="the control namespace only" />
          </dd>
          {spec.permitOnlyProjectScopedClusters && (
            <>
              <dt>Clusters</dt>
              <dd>only those that belong to the project</dd>
            </>
          )}
        </dl>
      </Section>
      <Section title="Destinations" flush>
        <Table
          of="Destinations"
          rows={items(spec.destinations)}
          keyOf={(_, i) => String(i)}
          columns={[
            { label: 'Cluster', cell: (d) => <code>{d.name || d.server}</code> },
            { label: 'Namespace', cell: (d) => <code>{d.namespace}</code> },
          ]}
        />
      </Section>
      <Section title="Kinds and guards">
        <dl class="facts">
          <dt>Without a namespace</dt>
          <dd>
            <Words of={kinds(spec.clusterResourceWhitelist)} />
          </dd>
          <dt>Of these denied</dt>
          <dd>
            <Words of={kinds(spec.clusterResourceBlacklist)} />
          </dd>
          <dt>In namespaces</dt>
          <dd>
            <Words
              of={kinds(spec.namespaceResourceWhitelist)}
              none={Array.isArray(spec.namespaceResourceWhitelist) ? 'none' : 'all'}
            />
          </dd>
          <dt>Of these denied</dt>
          <dd>
            <Words of={kinds(spec.namespaceResourceBlacklist)} />
          </dd>
          <dt>Signature keys</dt>
          <dd>
            <Words of={items(spec.signatureKeys).map((k) => k.keyID ?? '')} none="commits need no signature" />
          </dd>
          <dt>Orphaned objects</dt>
          <dd>
            <YesNo yes={Boolean(spec.orphanedResources)} words={['looked for', 'not looked for']} />
          </dd>
          <dt>Service accounts</dt>
          <dd>
            <Words
              of={items(spec.destinationServiceAccounts).map(
                (a) => `${a.server} ${a.namespace}: ${a.defaultServiceAccount}`,
              )}
            />
          </dd>
        </dl>
      </Section>
    </>
  )
}

function Effect({ name }: { name: string }) {
  const answer = useLoad(`effect ${name}`, (signal) =>
    call('get', '/api/v1/projects/{name}/detailed', { path: { name } }, signal),
  )
  return (
    <Answer of={answer} doing="show what is in effect">
      {(all) => {
        const globals = items(all.globalProjects as Project[])
        return (
          <>
            <Section title="Projects that add to this one">
              {globals.length === 0 ? (
                <p class="soft">None: no entry of globalProjects in argocd-cm selects it.</p>
              ) : (
                <Words of={globals.map((p) => p.metadata?.name ?? '')} />
              )}
            </Section>
            {all.project && <Rules project={all.project as Project} />}
            <Section title="Repositories and clusters of the project">
              <dl class="facts">
                <dt>Repositories</dt>
                <dd>
                  <Words of={items(all.repositories).map((r) => r.repo ?? '')} />
                </dd>
                <dt>Clusters</dt>
                <dd>
                  <Words of={items(all.clusters).map((c) => c.name || c.server || '')} />
                </dd>
              </dl>
            </Section>
          </>
        )
      }}
    </Answer>
  )
}

function Events({ name }: { name: string }) {
  const answer = useLoad(`project events ${name}`, (signal) =>
    call('get', '/api/v1/projects/{name}/events', { path: { name } }, signal),
  )
  return (
    <Section title="Events" flush>
      <Answer of={answer} doing="list the events">
        {(list) =>
          items(list.items).length === 0 ? (
            <p class="soft settings-section-body">Nothing happened to the project lately.</p>
          ) : (
            <Table
              of="Events"
              rows={items(list.items)}
              keyOf={(_, i) => String(i)}
              columns={[
                { label: 'When', cell: (e) => <Time at={e.lastTimestamp ?? e.metadata?.creationTimestamp} /> },
                { label: 'Reason', cell: (e) => e.reason },
                { label: 'Message', cell: (e) => e.message },
              ]}
            />
          )
        }
      </Answer>
    </Section>
  )
}
