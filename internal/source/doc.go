// SPDX-License-Identifier: Apache-2.0

// Package source brings what is written in Git, in chart repositories and in registries into the program: which commit or
// digest a revision is, and its files as a tree.Tree.
//
// The words of this room:
//
//   - Repository: an address together with the credentials and the project it is read with.
//   - Identity: who asks where access is given by tokens that end (GitHub App, Google service account, Azure); an
//     issuer gets its tokens. Login: what a server is told, from a password, a token or neither.
//   - Refs: what a repository says its branches and tags are, at one moment.
//   - Revision: what a user wrote (branch, tag, HEAD, commit, refs/…, semver constraint). Commit: what it is.
//   - Mirror: a bare repository in the data folder, one for each (address, credential, project). It holds the
//     commits that were asked for, each without its history. Nothing is visible in it before it is complete.
//   - Ready: a commit whose fetch ended well. Only ready commits are read.
//   - Plan: the paths (Want) whose content is fetched before anything is read. In a mirror of mode "all" that is
//     everything; in one of mode "planned" (large repositories) the union of what was asked for lately.
//   - Reader: a `git cat-file` process over a repository that only borrows the mirror's objects. It knows no
//     remote, so an object that is not there is missing (MissingError); it is never fetched on the way and never
//     taken for absent (tree.ErrAbsent).
//   - Keep: an owner's wish that a commit stays in the mirror, against force pushes and clean-ups.
//   - Unreachable (UnreachableError): the repository could not be asked. Unknown revision
//     (UnknownRevisionError): it was asked, and has no such thing. Callers keep what they had at the former.
//   - Submodule: a commit of another repository, shown as a folder (WithSubmodules); its mirror is one like others.
//   - Pointer: a small file that stands for one in the repository's Git LFS store, whose content is shown instead.
//   - Policy: what a project demands of the signatures of commits; Keyring: the keys they are checked with. Seal: a
//     signed commit that vouches for all before it.
//   - Artifact: a chart, what a registry holds, or a file at an address. Pin: what it was resolved to, a version and a digest.
//   - Shelf: the part of the data folder that holds what was got from one repository that is not Git, by digest. Shop: that
//     repository as it is asked.
//   - Poller: asks each repository that has an owner, and tells what moved.
package source
