// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, CheckField, Cli, Dialog, Failure, Icon, SelectField, TextField, toast } from '../kit'
import { useDoing } from './load'
import { bodyOf, repositoryCommand, repositoryProblems, trialOf, type Way, wayOf, ways } from './repoform'
import type { RepoCreds, Repository } from './types'

/** Adds or changes a repository, or credentials for all below an address. */
export function EditRepository({
  noun,
  given,
  projects,
  onClose,
  onDone,
}: {
  noun: 'repo' | 'repocreds'
  /** What is shown of the one that is changed; nothing for a new one. */
  given?: Repository
  projects: string[]
  onClose: () => void
  onDone: () => Promise<void>
}) {
  const [form, setForm] = useState<Repository>(given ?? { repo: '', type: 'git' })
  const [way, setWay] = useState<Way>(given ? wayOf(given) : 'none')
  const [shownProblems, setShown] = useState(false)
  const [works, setWorks] = useState(false)
  const doing = useDoing()
  const put = (change: Repository) => {
    setForm({ ...form, ...change })
    setWorks(false)
  }
  const problems = repositoryProblems(form, way)
  const wrong = Object.keys(problems).length > 0
  const body = bodyOf(form, way)
  const attempt = (what: () => Promise<void>) => {
    setShown(true)
    if (!wrong) void doing.run(what)
  }
  const test = () =>
    attempt(async () => {
      const path = { repo: body.repo ?? '' }
      // In the body and not in the address, which ends in logs.
      await call('post', '/api/v1/repositories/{repo}/validate', { path, body: trialOf(body) } as never)
      setWorks(true)
    })
  const save = () =>
    attempt(async () => {
      await (noun === 'repo' ? saveRepository(body, Boolean(given)) : saveCreds(body, Boolean(given)))
      toast(`Saved ${body.repo}`)
      await onDone()
      onClose()
    })
  return (
    <Dialog
      title={titleOf(noun, Boolean(given))}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          {noun === 'repo' && (
            <Button icon="bolt" busy={doing.busy} onClick={test}>
              Test
            </Button>
          )}
          <Button looks="primary" busy={doing.busy} onClick={save}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        {given && (
          <p class="settings-note tone-warn">
            <Icon name="lock" />
            <span>
              What gives access is never shown. Saving replaces all of it: give it again, or choose nothing if a
              template has it.
            </span>
          </p>
        )}
        <General {...{ noun, form, projects, put, fixed: Boolean(given) }} wrong={shownProblems ? problems : {}} />
        <SelectField
          label="Signs in with"
          value={way}
          options={[...ways]}
          onChange={(now) => {
            setWay(now as Way)
            setWorks(false)
          }}
        />
        <Access {...{ way, form, put }} wrong={shownProblems ? problems : {}} />
        <More {...{ noun, form, put }} wrong={shownProblems ? problems : {}} />
        {doing.error && <Failure error={doing.error} doing="do that" />}
        {works && (
          <p class="status tone-good" role="status">
            <Icon name="check" />
            It answers and takes the credentials
          </p>
        )}
        <Cli command={[...repositoryCommand(noun, form, way), ...(given ? ['--upsert'] : [])]} />
      </div>
    </Dialog>
  )
}

function titleOf(noun: string, changes: boolean): string {
  if (noun === 'repo') return changes ? 'Edit repository' : 'Add repository'
  return changes ? 'Edit credential template' : 'Add credential template'
}

async function saveRepository(body: Repository, changes: boolean) {
  const path = { repo: body.repo ?? '' }
  if (changes) await call('put', '/api/v1/repositories/{repo}', { path, body })
  else await call('post', '/api/v1/repositories', { body })
}

async function saveCreds(body: Repository, changes: boolean) {
  const { repo: url, name: _, project: __, ...rest } = body
  const creds: RepoCreds = { ...rest, url: url ?? '' }
  if (changes) await call('put', '/api/v1/repocreds/{url}', { path: { url: url ?? '' }, body: creds })
  else await call('post', '/api/v1/repocreds', { body: creds })
}

interface PartProps {
  form: Repository
  put: (change: Repository) => void
  wrong: Partial<Record<keyof Repository, string>>
}

function Text({
  of,
  label,
  hint,
  secret,
  rows,
  number,
  disabled,
  form,
  put,
  wrong,
}: PartProps & {
  of: keyof Repository
  label: string
  hint?: string
  secret?: boolean
  rows?: number
  number?: boolean
  disabled?: boolean
}) {
  return (
    <TextField
      label={label}
      hint={hint}
      error={wrong[of]}
      type={secret && !rows ? 'password' : number ? 'number' : 'text'}
      autocomplete={secret ? 'new-password' : 'off'}
      spellcheck={false}
      disabled={disabled ?? false}
      {...(rows ? { rows } : {})}
      value={String(form[of] || '')}
      onInput={(value) => put({ [of]: number ? Number(value) : value })}
    />
  )
}

function General({
  noun,
  projects,
  fixed,
  ...rest
}: PartProps & { noun: 'repo' | 'repocreds'; projects: string[]; fixed: boolean }) {
  const { form, put } = rest
  return (
    <div class="settings-pair">
      <Text
        {...rest}
        of="repo"
        label={noun === 'repo' ? 'Address' : 'Addresses that begin with'}
        hint="https://…, git@HOST:PATH, oci://…"
        disabled={fixed}
      />
      <SelectField
        label="Type"
        value={form.type || 'git'}
        options={[
          { value: 'git', label: 'Git' },
          { value: 'helm', label: 'Helm' },
          { value: 'oci', label: 'OCI' },
        ]}
        onChange={(type) => put({ type })}
      />
      {noun === 'repo' && (
        <>
          <Text {...rest} of="name" label="Name" />
          <SelectField
            label="May be used by"
            value={form.project ?? ''}
            disabled={fixed && Boolean(form.project)}
            options={[{ value: '', label: 'All projects that permit it' }, ...projects.map((value) => ({ value }))]}
            onChange={(project) => put({ project })}
          />
        </>
      )}
    </div>
  )
}

function Access({ way, ...rest }: PartProps & { way: Way }) {
  const { form, put } = rest
  switch (way) {
    case 'password':
      return (
        <div class="settings-pair">
          <Text {...rest} of="username" label="User" />
          <Text {...rest} of="password" label="Password or token" secret />
          <CheckField
            label="Sign in by basic authentication in any case"
            checked={form.forceHttpBasicAuth ?? false}
            onChange={(forceHttpBasicAuth) => put({ forceHttpBasicAuth })}
          />
        </div>
      )
    case 'bearer':
      return <Text {...rest} of="bearerToken" label="Token" secret />
    case 'ssh':
      return <Text {...rest} of="sshPrivateKey" label="Private key" hint="As in ~/.ssh/id_ed25519." secret rows={4} />
    case 'app':
      return (
        <div class="settings-pair">
          <Text {...rest} of="githubAppID" label="App id" number />
          <Text {...rest} of="githubAppInstallationID" label="Installation id" hint="Looked up if empty." number />
          <Text
            {...rest}
            of="githubAppEnterpriseBaseUrl"
            label="URL of GitHub Enterprise"
            hint="Its API; empty for github.com."
          />
          <Text {...rest} of="githubAppPrivateKey" label="Private key of the app" secret rows={4} />
        </div>
      )
    case 'google':
      return <Text {...rest} of="gcpServiceAccountKey" label="Key of the service account (JSON)" secret rows={4} />
    case 'azure':
      return (
        <div class="settings-pair">
          <Text {...rest} of="azureServicePrincipalClientId" label="Client id" />
          <Text {...rest} of="azureServicePrincipalTenantId" label="Tenant id" />
          <Text {...rest} of="azureServicePrincipalClientSecret" label="Client secret" secret />
          <Text
            {...rest}
            of="azureActiveDirectoryEndpoint"
            label="Where Azure signs in"
            hint="Empty for its public cloud."
          />
        </div>
      )
    default:
      return null
  }
}

function More({ noun, ...rest }: PartProps & { noun: 'repo' | 'repocreds' }) {
  const { form, put } = rest
  const check = (
    key: 'enableLfs' | 'enableOCI' | 'insecureOCIForceHttp' | 'insecure',
    label: string,
    hint?: string,
  ) => <CheckField label={label} hint={hint} checked={form[key] ?? false} onChange={(value) => put({ [key]: value })} />
  return (
    <details class="settings-more" open={Boolean(form.proxy || form.insecure)}>
      <summary>Proxy, client certificate and more</summary>
      <div class="stack">
        <div class="settings-pair">
          <Text {...rest} of="proxy" label="Proxy" hint="http://… or socks5://…" />
          <Text {...rest} of="noProxy" label="Reached without the proxy" hint="Hosts, with commas." />
          <Text {...rest} of="tlsClientCertData" label="Client certificate (PEM)" rows={3} />
          <Text {...rest} of="tlsClientCertKey" label="Its key (PEM)" secret rows={3} />
        </div>
        {form.type === 'git' && noun === 'repo' && check('enableLfs', 'Fetch files of Git LFS')}
        {form.type === 'helm' && check('enableOCI', 'The charts are in an OCI registry')}
        {form.type !== 'git' && check('insecureOCIForceHttp', 'Reach the OCI registry over plain HTTP')}
        {noun === 'repo' &&
          check(
            'insecure',
            'Take any certificate or host key of the server',
            'Whoever stands between can then read and change what is deployed. Adding its certificate is the safe way.',
          )}
      </div>
    </details>
  )
}
