// SPDX-License-Identifier: Apache-2.0

import type { Repository } from './types'

/** How a repository is signed in to. What gives access is never answered: a form begins without it. */
export const ways = [
  { value: 'none', label: 'Nothing, or what a credential template says' },
  { value: 'password', label: 'User and password or token' },
  { value: 'bearer', label: 'Bearer token (Bitbucket Data Center)' },
  { value: 'ssh', label: 'SSH key' },
  { value: 'app', label: 'GitHub App' },
  { value: 'google', label: 'Google Cloud service account' },
  { value: 'azure', label: 'Azure service principal' },
  { value: 'workload', label: 'Azure workload identity' },
] as const

export type Way = (typeof ways)[number]['value']

const fieldsOf: Record<Way, (keyof Repository)[]> = {
  none: [],
  password: ['username', 'password', 'forceHttpBasicAuth'],
  bearer: ['bearerToken'],
  ssh: ['sshPrivateKey'],
  app: ['githubAppID', 'githubAppInstallationID', 'githubAppPrivateKey', 'githubAppEnterpriseBaseUrl'],
  google: ['gcpServiceAccountKey'],
  azure: [
    'azureServicePrincipalClientId',
    'azureServicePrincipalClientSecret',
    'azureServicePrincipalTenantId',
    'azureActiveDirectoryEndpoint',
  ],
  workload: ['useAzureWorkloadIdentity'],
}

const ofAccess = new Set(Object.values(fieldsOf).flat())

/** Whether an address is one of SSH, as git reads it. */
export function isSsh(address: string): boolean {
  return /^(ssh:\/\/|git\+ssh:\/\/)/.test(address) || /^[^/:@\s]+@[^/:\s]+:/.test(address)
}

/** The way that what is shown of a repository speaks of, or its address. */
export function wayOf(r: Repository): Way {
  if (r.inheritedCreds) return 'none'
  if (r.username) return 'password'
  if (r.githubAppID) return 'app'
  if (r.useAzureWorkloadIdentity) return 'workload'
  if (r.azureServicePrincipalClientId) return 'azure'
  return isSsh(r.repo ?? '') ? 'ssh' : 'none'
}

/** What is sent of a form: of what gives access only what belongs to the way, and nothing empty. */
export function bodyOf(form: Repository, way: Way): Repository {
  const wanted = new Set(fieldsOf[way])
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(form)) {
    if (ofAccess.has(key as keyof Repository) && !wanted.has(key as keyof Repository)) continue
    if (key === 'connectionState' || key === 'inheritedCreds') continue
    if (value === '' || value === false || value === undefined || value === null || value === 0) continue
    out[key] = typeof value === 'string' ? kept(key, value) : value
  }
  if (way === 'workload') out.useAzureWorkloadIdentity = true
  return out as Repository
}

/** Keys end with a line break, or programs refuse them; everything but a password loses blanks around it. */
function kept(key: string, value: string): string {
  if (/(PrivateKey|Data|tlsClientCertKey)$/.test(key)) return `${value.trim()}\n`
  return /password|secret/i.test(key) ? value : value.trim()
}

/** What is wrong with a form, by field. */
export function repositoryProblems(form: Repository, way: Way): Partial<Record<keyof Repository, string>> {
  const out: Partial<Record<keyof Repository, string>> = {}
  const address = (form.repo ?? '').trim()
  if (address === '') out.repo = 'Write the address of the repository'
  else if (/\s/.test(address)) out.repo = 'There is a blank in the address'
  else if (form.type === 'oci' && !address.startsWith('oci://'))
    out.repo = 'The address of an OCI repository begins with oci://'
  if (way === 'ssh' && !(form.sshPrivateKey ?? '').trim()) out.sshPrivateKey = 'Put the private key in'
  if (way === 'ssh' && address !== '' && !isSsh(address))
    out.repo = 'A key is for addresses of SSH: git@HOST:PATH or ssh://…'
  if (way === 'bearer' && !form.bearerToken) out.bearerToken = 'Put the token in'
  if (way === 'password' && !form.password && !form.username) out.username = 'Put a user, a password, or both in'
  if (way === 'app' && !form.githubAppID) out.githubAppID = 'Write the id of the app'
  if (way === 'app' && !form.githubAppPrivateKey) out.githubAppPrivateKey = 'Put the private key of the app in'
  if (way === 'google' && !form.gcpServiceAccountKey) out.gcpServiceAccountKey = 'Put the key of the account in'
  if (way === 'azure' && !form.azureServicePrincipalClientSecret)
    out.azureServicePrincipalClientSecret = 'Put the secret in'
  if (Boolean(form.tlsClientCertData) !== Boolean(form.tlsClientCertKey)) {
    out.tlsClientCertKey = 'A client certificate needs both: itself and its key'
  }
  return out
}

/** What to type on the command line. Nothing that gives access is in it: files and placeholders are named. */
export function repositoryCommand(noun: 'repo' | 'repocreds', form: Repository, way: Way): string[] {
  const out: string[] = [noun, 'add', form.repo || 'REPOURL']
  const flag = (name: string, value: string | number | undefined) => {
    if (value) out.push(`--${name}`, String(value))
  }
  const yes = (name: string, set: boolean | undefined) => {
    if (set) out.push(`--${name}`)
  }
  if (form.type && form.type !== 'git') flag('type', form.type)
  if (noun === 'repo') {
    flag('name', form.name)
    flag('project', form.project)
  }
  if (way === 'password') flag('username', form.username || 'git')
  if (way === 'bearer') flag('bearer-token', 'TOKEN')
  if (way === 'ssh') flag('ssh-private-key-path', 'KEY-FILE')
  if (way === 'app') {
    flag('github-app-id', form.githubAppID || 'ID')
    flag('github-app-installation-id', form.githubAppInstallationID)
    flag('github-app-private-key-path', 'KEY-FILE')
    flag('github-app-enterprise-base-url', form.githubAppEnterpriseBaseUrl)
  }
  if (way === 'google') flag('gcp-service-account-key-path', 'KEY-FILE')
  if (way === 'azure') {
    flag('azure-service-principal-client-id', form.azureServicePrincipalClientId || 'ID')
    flag('azure-service-principal-client-secret', 'SECRET')
    flag('azure-service-principal-tenant-id', form.azureServicePrincipalTenantId || 'TENANT')
  }
  yes('use-azure-workload-identity', way === 'workload')
  if (form.tlsClientCertData) out.push('--tls-client-cert-path', 'CERT-FILE', '--tls-client-cert-key-path', 'KEY-FILE')
  flag(noun === 'repo' ? 'proxy' : 'proxy-url', form.proxy)
  flag('no-proxy', form.noProxy)
  yes('enable-oci', form.enableOCI)
  yes('insecure-oci-force-http', form.insecureOCIForceHttp)
  if (noun === 'repo') {
    yes('insecure-skip-server-verification', form.insecure)
    yes('enable-lfs', form.enableLfs)
    flag('depth', form.depth)
  }
  return out
}

/** The fields of a repository by the names that the call that tries one gives them. */
export function trialOf(body: Repository): Record<string, unknown> {
  const { enableOCI, ...rest } = body
  return enableOCI ? { ...rest, enableOci: true } : rest
}
