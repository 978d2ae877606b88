package specs

// The codes of the problems that Load reports. They are stable: scripts and
// SARIF viewers key on them.
const (
	codeNoRepository   = "no-repository"    // xshare.yaml is missing
	codeUnreadable     = "unreadable"       // a file or directory cannot be read
	codeTooLarge       = "too-large"        // a file or document passes a limit
	codeTooMany        = "too-many"         // a file has too many problems to show
	codeEncoding       = "encoding"         // not plain UTF-8
	codeControl        = "control-char"     // control, terminal-escape or bidi characters
	codeTab            = "tab"              // a tab in the indentation
	codeSyntax         = "syntax"           // not YAML
	codeAlias          = "alias"            // aliases, merge keys and explicit tags
	codeOutside        = "outside"          // a path or link leaves the repository
	codeInclude        = "include"          // a pattern is bad or matches nothing
	codeNotIncluded    = "not-included"     // warning: a file looks like a spec but is not read
	codeNoShares       = "no-shares"        // warning: the repository has no share
	codeAPIVersion     = "api-version"      // apiVersion is not xshare/v1
	codeKind           = "kind"             // kind is unknown or does not belong into this file
	codeUnknownField   = "unknown-field"    // a field that does not exist
	codeDuplicate      = "duplicate"        // the same thing twice
	codeMissing        = "missing"          // a needed field is absent or empty
	codeType           = "type"             // text, list, mapping or true/false expected
	codeQuote          = "quote"            // a text that YAML reads as something else
	codeName           = "name"             // a repository's, share's, alias' or instance's name
	codeAccountID      = "account-id"       // an account id
	codeUnknownAccount = "unknown-account"  // an alias that xshare.yaml does not have
	codePartner        = "partner-account"  // more asked of an account with manage: false than can be
	codeRetired        = "retired-account"  // a share names a retired account
	codeRegion         = "region"           // a region's form
	codePartition      = "partition"        // regions or ARNs of two partitions
	codeBucketName     = "bucket-name"      // S3's rules for bucket names
	codeRoleName       = "role-name"        // IAM's rules for role names and paths
	codePolicyName     = "policy-name"      // IAM's rules for policy names
	codeProfileName    = "profile-name"     // IAM's rules for instance profile names
	codeBoundary       = "boundary"         // a permissions boundary
	codeExternalID     = "external-id"      // STS' rules for external ids
	codeTag            = "tag"              // AWS's rules for tags
	codeTrust          = "trust"            // trust and trustPolicy
	codeAccess         = "access"           // access words
	codeFullAccess     = "full-access"      // access full
	codeAction         = "action"           // further S3 actions
	codePrefix         = "prefix"           // prefixes
	codePrefixOverlap  = "prefix-overlap"   // warning: a prefix lies in another
	codeInstance       = "instance"         // an instance's form
	codeInstanceID     = "instance-id"      // ids of instances, images, subnets, groups
	codeEndOfSupport   = "end-of-support"   // warning: an image without support
	codeNoProfile      = "instance-profile" // instances or profile that do not go with the role
	codeUnused         = "unused-field"     // warning: a field without effect
	codeLock           = "lock"             // the lock's life; warning: its bucket is shared
	codeConflict       = "conflict"         // two places say different things of one resource
)

// The codes of the lints that Load tells of, beside those of iampolicy's
// ParseError in a trust policy. docs/lints.md has them all.
const (
	lintOwnersOnly            = "owners-only"
	lintPermissionsManagement = "permissions-management"
	lintPrefixUnheld          = "prefix-unheld"
	lintPolicyTooLarge        = "policy-too-large"
)
