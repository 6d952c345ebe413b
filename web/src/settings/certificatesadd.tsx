// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { type ApiError, call } from '../api'
import { Button, CheckField, Cli, Dialog, Failure, TextField, toast } from '../kit'
import { counted } from './filter'
import { base64, hostKeysOf, pemProblem } from './knownhosts'
import { useDoing } from './load'
import { type Certificate, items } from './types'

interface Adding {
  onDone: () => Promise<void>
  onClose: () => void
}

/** Adds certificates or host keys; what there is already and is another is only replaced if that is wanted. */
async function add(list: Certificate[], upsert: boolean): Promise<number> {
  const made = await call('post', '/api/v1/certificates', { query: { upsert }, body: { items: list } } as never)
  return items((made as { items?: Certificate[] }).items).length
}

const said = (added: number, noun: string, of: string) =>
  added === 0 ? `${of} had them already` : `Added ${counted(added, noun)} ${of}`

/** The certificates that a server over HTTPS is recognised by. */
export function AddTls({ onDone, onClose }: Adding) {
  const [server, setServer] = useState('')
  const [text, setText] = useState('')
  const [upsert, setUpsert] = useState(false)
  const doing = useDoing()
  const host = server.trim()
  const at = (field: string) => (doing.error?.where.endsWith(field) ? doing.error.message : undefined)
  const problem = pemProblem(text)
  const save = () =>
    doing.run(async () => {
      const added = await add([{ serverName: host, certType: 'https', certData: base64(text) }], upsert)
      await onDone()
      toast(said(added, 'certificate', `of ${host}`))
      onClose()
    })
  return (
    <Adder
      title="Add TLS certificates"
      ready={host !== '' && text.trim() !== '' && !problem}
      doing={doing}
      shown={Boolean(at('servername') ?? at('certdata'))}
      upsert={upsert}
      onUpsert={setUpsert}
      onSave={save}
      onClose={onClose}
      command={['cert', 'add-tls', host || 'SERVER', '--from', 'ca.pem']}
    >
      <TextField
        label="Server"
        required
        hint="Its name alone, such as git.example.com: without scheme, port and path."
        value={server}
        error={at('servername')}
        autoFocus
        spellcheck={false}
        onInput={setServer}
      />
      <TextField
        label="Certificates"
        required
        hint="In PEM: the server's own, or that of its authority; several one after the other."
        placeholder="-----BEGIN CERTIFICATE-----"
        rows={9}
        value={text}
        error={problem ?? at('certdata')}
        spellcheck={false}
        onInput={setText}
      />
    </Adder>
  )
}

/** The keys that servers over SSH prove themselves by. */
export function AddHostKeys({ onDone, onClose }: Adding) {
  const [text, setText] = useState('')
  const [upsert, setUpsert] = useState(false)
  const doing = useDoing()
  const { keys, problem } = hostKeysOf(text)
  const atText = doing.error?.where.startsWith('certificates') ? doing.error.message : undefined
  const save = () =>
    doing.run(async () => {
      const added = await add(keys, upsert)
      await onDone()
      toast(said(added, 'host key', `of ${counted(new Set(keys.map((k) => k.serverName)).size, 'server')}`))
      onClose()
    })
  return (
    <Adder
      title="Add SSH host keys"
      ready={keys.length > 0 && !problem}
      doing={doing}
      shown={Boolean(atText)}
      upsert={upsert}
      onUpsert={setUpsert}
      onSave={save}
      onClose={onClose}
      command={['cert', 'add-ssh', '--from', 'known_hosts']}
    >
      <p>
        Get them with <code>ssh-keyscan git.example.com</code>, and compare their fingerprints with those that the owner
        of the server publishes.
      </p>
      <TextField
        label="Host keys"
        required
        hint={keys.length > 0 ? `${counted(keys.length, 'host key')} in it.` : 'As they stand in a known_hosts file.'}
        placeholder="git.example.com ssh-ed25519 AAAA…"
        rows={7}
        value={text}
        error={problem ?? atText}
        autoFocus
        spellcheck={false}
        onInput={setText}
      />
    </Adder>
  )
}

function Adder({
  title,
  ready,
  doing,
  shown,
  upsert,
  onUpsert,
  onSave,
  onClose,
  command,
  children,
}: {
  title: string
  ready: boolean
  doing: { busy: boolean; error: ApiError | undefined }
  /** The error stands at its field already. */
  shown: boolean
  upsert: boolean
  onUpsert: (yes: boolean) => void
  onSave: () => Promise<void>
  onClose: () => void
  command: string[]
  children: preact.ComponentChildren
}) {
  return (
    <Dialog
      title={title}
      width="wide"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" busy={doing.busy} disabled={!ready} onClick={() => void onSave()}>
            Add
          </Button>
        </>
      }
    >
      <div class="stack">
        {children}
        <CheckField
          label="Replace what there is"
          hint="Else others of the same server are kept, and nothing is added."
          checked={upsert}
          onChange={onUpsert}
        />
        {doing.error && !shown && <Failure error={doing.error} doing="add them" />}
        <Cli command={upsert ? [...command, '--upsert'] : command} />
      </div>
    </Dialog>
  )
}
