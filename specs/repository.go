package specs

import (
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// noRole as deployRole means: the caller's own credentials.
const noRole = "none"

// defaultInclude is read where the repository states no include.
const defaultInclude = "shares/**/*.yaml"

// maxTags is AWS's limit of 50 less what xshare adds of its own.
const maxTags = 40

// repository builds the Repository without its shares. It returns as much as
// could be read, so that the shares can be checked against it.
func (s *sink) repository(raw *rawRepository) *Repository {
	meta, spec := &raw.metadata.value, &raw.spec.value
	repo := &Repository{
		Name:       meta.name.value,
		DeployRole: spec.deployRole.value,
		ReadRole:   spec.readRole.value,
		ExternalID: spec.externalID.value,

		PermissionsBoundary: spec.boundary.value,
		Pos:                 meta.name.pos,
	}
	s.check(meta.name, "the repository's name", codeName, repositoryName)
	repo.FormerNames = s.formerNames(meta)
	repo.Region = s.region(spec.region, "")
	s.roles(spec.deployRole, spec.readRole)
	s.check(spec.externalID, "externalId", codeExternalID, externalID)
	s.boundary(spec.boundary, repo.Region, "")
	repo.Include = s.include(spec.include)
	repo.Tags = s.tags(spec.tags.entries, spec.tags.pos)
	repo.Accounts = s.accounts(spec, repo)
	repo.Lock = s.lock(&spec.lock, repo)
	return repo
}

func (s *sink) formerNames(meta *rawRepositoryMetadata) []string {
	var names []string
	seen := map[string]Pos{}
	for _, former := range meta.formerNames.items {
		if !s.check(former, "the former name", codeName, repositoryName) {
			continue
		}
		if former.value == meta.name.value {
			s.fail(codeDuplicate, former.pos, "take it out", "the former name %q is the name of today", former.value)
		} else if s.once(seen, former, "the former name") {
			names = append(names, former.value)
		}
	}
	slices.Sort(names)
	return names
}

// once reports whether a text comes for the first time, and an error if not.
func (s *sink) once(seen map[string]Pos, t text, what string) bool {
	first, again := seen[t.value]
	if again {
		s.fail(codeDuplicate, t.pos, "take one of the two out", "%s %s stands here twice, first at %s", what, quote(t.value), first)
		return false
	}
	seen[t.value] = t.pos
	return true
}

func (s *sink) roles(deploy, read text) {
	s.check(deploy, "deployRole", codeRoleName, roleName)
	if read.ok() && read.value == noRole {
		s.fail(codeRoleName, read.pos, "take readRole out: reading then uses deployRole with a read-only session", "readRole cannot be none")
		return
	}
	s.check(read, "readRole", codeRoleName, roleName)
}

// boundary checks a permissions boundary for use in the account with the id
// ("": any account).
func (s *sink) boundary(t text, region, id string) {
	if !s.check(t, "permissionsBoundary", codeBoundary, boundary) {
		return
	}
	arn := boundaryARN.FindStringSubmatch(t.value)
	if arn == nil {
		return
	}
	if region != "" && arn[1] != Partition(region) {
		s.fail(codePartition, t.pos, "write the ARN with arn:"+Partition(region)+":, or the name alone",
			"permissionsBoundary is in partition %s and the repository's region is in %s", arn[1], Partition(region))
	}
	if id != "" && arn[2] != id && arn[2] != "aws" {
		s.fail(codeBoundary, t.pos, "write the name alone: it is then looked up in the role's account",
			"permissionsBoundary is a policy of account %s and the role is in %s", arn[2], id)
	}
}

func (s *sink) include(stated texts) []string {
	var patterns []string
	seen := map[string]Pos{}
	for _, p := range stated.items {
		if s.check(p, "the pattern", codeInclude, pattern) && s.once(seen, p, "the pattern") {
			patterns = append(patterns, p.value)
		}
	}
	if len(patterns) == 0 {
		return []string{defaultInclude} // none is stated, or an error says what is wrong with them
	}
	return patterns
}

// pattern bounds what a pattern can cost to match, besides its form.
func pattern(v string) (string, string) {
	const relative = "write it relative to the repository's root, such as " + defaultInclude
	switch {
	case strings.Contains(v, `\`):
		return "has a backslash", "separate with /"
	case strings.HasPrefix(v, "/"):
		return "starts with /", relative
	case slices.Contains(strings.Split(v, "/"), ".."):
		return "leaves the repository", relative
	case !doublestar.ValidatePattern(v):
		return "is no valid pattern", "close its brackets and braces"
	case len(v) > 256 || strings.Count(v, "{") > 4 || strings.Count(v, "**") > 4:
		return "is too complicated", "use several simple patterns"
	}
	return "", ""
}

func (s *sink) tags(entries []entry[label], pos Pos) map[string]string {
	if len(entries) > maxTags {
		s.fail(codeTag, pos, "take some out; AWS takes 50 and xshare needs a few", "there are %d tags and at most %d are taken", len(entries), maxTags)
	}
	tags := make(map[string]string, len(entries))
	seen := map[string]Pos{}
	for _, e := range entries {
		key := text{value: e.key, pos: e.pos}
		s.check(key, "the tag key", codeTag, tagKey)
		s.check(e.value.text, "the tag value", codeTag, tagValue)
		lower := strings.ToLower(e.key)
		if first, again := seen[lower]; again {
			s.fail(codeTag, e.pos, "take one of the two out", "the tag key %s differs only in case from the one at %s, which IAM refuses", quote(e.key), first)
		}
		seen[lower] = e.pos
		tags[e.key] = e.value.value
	}
	if len(tags) == 0 {
		return nil
	}
	return tags
}

func (s *sink) accounts(spec *rawRepositorySpec, repo *Repository) []*Account {
	entries := spec.accounts.entries
	if spec.accounts.pos.Line > 0 && len(entries) == 0 {
		s.fail(codeMissing, spec.accounts.pos, "write the accounts as `alias: {id: \"111111111111\"}`", "accounts is empty")
	}
	seen := map[string]Pos{}
	accounts := make([]*Account, 0, len(entries))
	for _, e := range entries {
		raw := &e.value.value
		s.check(text{value: e.key, pos: e.pos}, "the account alias", codeName, name)
		if s.check(raw.id, "the account id", codeAccountID, accountID) {
			s.account = raw.id.value
			s.once(seen, raw.id, "the account id")
		}
		accounts = append(accounts, s.oneAccount(e.key, e.pos, raw, repo))
		s.account = ""
	}
	slices.SortFunc(accounts, func(a, b *Account) int { return strings.Compare(a.Alias, b.Alias) })
	return accounts
}

func (s *sink) oneAccount(alias string, pos Pos, raw *rawAccount, repo *Repository) *Account {
	a := &Account{
		Alias: alias, ID: raw.id.value,
		Region: repo.Region, DeployRole: repo.DeployRole, ReadRole: repo.ReadRole, ExternalID: repo.ExternalID,
		Profile: raw.profile.value,
		Manage:  !raw.manage.stated() || raw.manage.bad || raw.manage.value,
		Retired: raw.retired.value,
		Pos:     pos,
	}
	if raw.region.stated() {
		a.Region = s.region(raw.region, regionPartition(repo.Region))
	}
	if raw.deployRole.stated() {
		s.check(raw.deployRole, "deployRole", codeRoleName, roleName)
		a.DeployRole = raw.deployRole.value
		if a.DeployRole == noRole {
			a.ReadRole = "" // an account that is used without roles has no reader either
		}
	}
	if raw.externalID.stated() {
		s.check(raw.externalID, "externalId", codeExternalID, externalID)
		a.ExternalID = raw.externalID.value
	}
	if a.Manage {
		return a
	}
	if a.Retired {
		s.fail(codePartner, raw.retired.pos, "take one of the two out", "account %s is retired and has manage: false, so there is nothing to sweep in it", printable(alias))
	}
	for _, unused := range []struct {
		field string
		text  text
	}{{"deployRole", raw.deployRole}, {"externalId", raw.externalID}, {"profile", raw.profile}} {
		if unused.text.stated() {
			s.warn(codeUnused, unused.text.pos, "take it out", "%s has no effect in an account with manage: false", unused.field)
		}
	}
	return a
}

// regionPartition is Partition, and "" for a region that is not known.
func regionPartition(region string) string {
	if region == "" {
		return ""
	}
	return Partition(region)
}

func itoa(n int) string { return strconv.Itoa(n) }
