// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// SCMProviderGenerator produces one set for each repository, or each branch, that a hosting service lists. Exactly one
// provider is set.
type SCMProviderGenerator struct {
	Github          *SCMProviderGeneratorGithub          `json:"github,omitempty"`
	Gitlab          *SCMProviderGeneratorGitlab          `json:"gitlab,omitempty"`
	Bitbucket       *SCMProviderGeneratorBitbucket       `json:"bitbucket,omitempty"`
	BitbucketServer *SCMProviderGeneratorBitbucketServer `json:"bitbucketServer,omitempty"`
	Gitea           *SCMProviderGeneratorGitea           `json:"gitea,omitempty"`
	AzureDevOps     *SCMProviderGeneratorAzureDevOps     `json:"azureDevOps,omitempty"`
	// Filters keep what matches any of them; within one filter all conditions must hold.
	Filters []SCMProviderGeneratorFilter `json:"filters,omitempty"`
	// CloneProtocol is https or ssh; what is the default depends on the provider.
	CloneProtocol       string `json:"cloneProtocol,omitempty"`
	RequeueAfterSeconds *int64 `json:"requeueAfterSeconds,omitempty"`
	// +optional
	Template      ApplicationSetTemplate             `json:"template,omitzero"`
	Values        map[string]string                  `json:"values,omitempty"`
	AWSCodeCommit *SCMProviderGeneratorAWSCodeCommit `json:"awsCodeCommit,omitempty"`
}

// SCMProviderGeneratorGithub lists the repositories of an organization.
type SCMProviderGeneratorGithub struct {
	Organization         string     `json:"organization"`
	API                  string     `json:"api,omitempty"`
	TokenRef             *SecretRef `json:"tokenRef,omitempty"`
	AppSecretName        string     `json:"appSecretName,omitempty"`
	AllBranches          bool       `json:"allBranches,omitempty"`
	ExcludeArchivedRepos bool       `json:"excludeArchivedRepos,omitempty"`
}

// SCMProviderGeneratorGitea lists the repositories of an owner.
type SCMProviderGeneratorGitea struct {
	Owner                string     `json:"owner"`
	API                  string     `json:"api"`
	TokenRef             *SecretRef `json:"tokenRef,omitempty"`
	AllBranches          bool       `json:"allBranches,omitempty"`
	Insecure             bool       `json:"insecure,omitempty"`
	ExcludeArchivedRepos bool       `json:"excludeArchivedRepos,omitempty"`
}

// SCMProviderGeneratorGitlab lists the projects of a group.
type SCMProviderGeneratorGitlab struct {
	Group            string     `json:"group"`
	IncludeSubgroups bool       `json:"includeSubgroups,omitempty"`
	API              string     `json:"api,omitempty"`
	TokenRef         *SecretRef `json:"tokenRef,omitempty"`
	AllBranches      bool       `json:"allBranches,omitempty"`
	Insecure         bool       `json:"insecure,omitempty"`
	// IncludeSharedProjects is on when nil.
	IncludeSharedProjects *bool            `json:"includeSharedProjects,omitempty"`
	Topic                 string           `json:"topic,omitempty"`
	CARef                 *ConfigMapKeyRef `json:"caRef,omitempty"`
	// IncludeArchivedRepos is a pointer so that "not said" is left to the provider's default.
	IncludeArchivedRepos *bool `json:"includeArchivedRepos,omitempty"`
}

// SCMProviderGeneratorBitbucket lists the repositories of a Bitbucket Cloud workspace.
type SCMProviderGeneratorBitbucket struct {
	Owner          string     `json:"owner"`
	User           string     `json:"user"`
	AppPasswordRef *SecretRef `json:"appPasswordRef"`
	AllBranches    bool       `json:"allBranches,omitempty"`
}

// SCMProviderGeneratorBitbucketServer lists the repositories of a Bitbucket Server project.
type SCMProviderGeneratorBitbucketServer struct {
	Project     string                    `json:"project"`
	API         string                    `json:"api"`
	BasicAuth   *BasicAuthBitbucketServer `json:"basicAuth,omitempty"`
	AllBranches bool                      `json:"allBranches,omitempty"`
	BearerToken *BearerTokenBitbucket     `json:"bearerToken,omitempty"`
	Insecure    bool                      `json:"insecure,omitempty"`
	CARef       *ConfigMapKeyRef          `json:"caRef,omitempty"`
}

// SCMProviderGeneratorAzureDevOps lists the repositories of an Azure DevOps team project.
type SCMProviderGeneratorAzureDevOps struct {
	Organization   string     `json:"organization"`
	API            string     `json:"api,omitempty"`
	TeamProject    string     `json:"teamProject"`
	AccessTokenRef *SecretRef `json:"accessTokenRef"`
	AllBranches    bool       `json:"allBranches,omitempty"`
}

// SCMProviderGeneratorAWSCodeCommit lists the repositories of an AWS account and region.
type SCMProviderGeneratorAWSCodeCommit struct {
	TagFilters  []*TagFilter `json:"tagFilters,omitempty"`
	Role        string       `json:"role,omitempty"`
	Region      string       `json:"region,omitempty"`
	AllBranches bool         `json:"allBranches,omitempty"`
}

// TagFilter keeps what carries a tag, and with Value only what carries it with that value.
type TagFilter struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

// SCMProviderGeneratorFilter keeps repositories and branches. Those that are regular expressions are pointers: a nil one
// is no condition.
type SCMProviderGeneratorFilter struct {
	RepositoryMatch *string  `json:"repositoryMatch,omitempty"`
	PathsExist      []string `json:"pathsExist,omitempty"`
	PathsDoNotExist []string `json:"pathsDoNotExist,omitempty"`
	LabelMatch      *string  `json:"labelMatch,omitempty"`
	BranchMatch     *string  `json:"branchMatch,omitempty"`
}

// PullRequestGenerator produces one set for each open pull request of a repository. Exactly one provider is set.
type PullRequestGenerator struct {
	Github              *PullRequestGeneratorGithub          `json:"github,omitempty"`
	GitLab              *PullRequestGeneratorGitLab          `json:"gitlab,omitempty"`
	Gitea               *PullRequestGeneratorGitea           `json:"gitea,omitempty"`
	BitbucketServer     *PullRequestGeneratorBitbucketServer `json:"bitbucketServer,omitempty"`
	Filters             []PullRequestGeneratorFilter         `json:"filters,omitempty"`
	RequeueAfterSeconds *int64                               `json:"requeueAfterSeconds,omitempty"`
	// +optional
	Template    ApplicationSetTemplate           `json:"template,omitzero"`
	Bitbucket   *PullRequestGeneratorBitbucket   `json:"bitbucket,omitempty"`
	AzureDevOps *PullRequestGeneratorAzureDevOps `json:"azuredevops,omitempty"`
	Values      map[string]string                `json:"values,omitempty"`
	// ContinueOnRepoNotFoundError takes a repository that is not found as one without pull requests.
	ContinueOnRepoNotFoundError bool `json:"continueOnRepoNotFoundError,omitempty"`
}

// PullRequestGeneratorGithub lists the pull requests of a GitHub repository.
type PullRequestGeneratorGithub struct {
	Owner         string     `json:"owner"`
	Repo          string     `json:"repo"`
	API           string     `json:"api,omitempty"`
	TokenRef      *SecretRef `json:"tokenRef,omitempty"`
	AppSecretName string     `json:"appSecretName,omitempty"`
	Labels        []string   `json:"labels,omitempty"`
}

// PullRequestGeneratorGitLab lists the merge requests of a GitLab project.
type PullRequestGeneratorGitLab struct {
	Project          string           `json:"project"`
	API              string           `json:"api,omitempty"`
	TokenRef         *SecretRef       `json:"tokenRef,omitempty"`
	Labels           []string         `json:"labels,omitempty"`
	PullRequestState string           `json:"pullRequestState,omitempty"`
	Insecure         bool             `json:"insecure,omitempty"`
	CARef            *ConfigMapKeyRef `json:"caRef,omitempty"`
}

// PullRequestGeneratorGitea lists the pull requests of a Gitea repository.
type PullRequestGeneratorGitea struct {
	Owner    string     `json:"owner"`
	Repo     string     `json:"repo"`
	API      string     `json:"api"`
	TokenRef *SecretRef `json:"tokenRef,omitempty"`
	Insecure bool       `json:"insecure,omitempty"`
	Labels   []string   `json:"labels,omitempty"`
}

// PullRequestGeneratorBitbucketServer lists the pull requests of a Bitbucket Server repository.
type PullRequestGeneratorBitbucketServer struct {
	Project     string                    `json:"project"`
	Repo        string                    `json:"repo"`
	API         string                    `json:"api"`
	BasicAuth   *BasicAuthBitbucketServer `json:"basicAuth,omitempty"`
	BearerToken *BearerTokenBitbucket     `json:"bearerToken,omitempty"`
	Insecure    bool                      `json:"insecure,omitempty"`
	CARef       *ConfigMapKeyRef          `json:"caRef,omitempty"`
}

// PullRequestGeneratorBitbucket lists the pull requests of a Bitbucket Cloud repository.
type PullRequestGeneratorBitbucket struct {
	Owner       string                     `json:"owner"`
	Repo        string                     `json:"repo"`
	API         string                     `json:"api,omitempty"`
	BasicAuth   *BasicAuthBitbucketServer  `json:"basicAuth,omitempty"`
	BearerToken *BearerTokenBitbucketCloud `json:"bearerToken,omitempty"`
}

// PullRequestGeneratorAzureDevOps lists the pull requests of an Azure DevOps repository.
type PullRequestGeneratorAzureDevOps struct {
	Organization string     `json:"organization"`
	Project      string     `json:"project"`
	Repo         string     `json:"repo"`
	API          string     `json:"api,omitempty"`
	TokenRef     *SecretRef `json:"tokenRef,omitempty"`
	Labels       []string   `json:"labels,omitempty"`
}

// PullRequestGeneratorFilter keeps pull requests; all of its regular expressions that are set must match.
type PullRequestGeneratorFilter struct {
	BranchMatch       *string `json:"branchMatch,omitempty"`
	TargetBranchMatch *string `json:"targetBranchMatch,omitempty"`
	TitleMatch        *string `json:"titleMatch,omitempty"`
}
