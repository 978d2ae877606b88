package specs

import (
	"regexp"
	"slices"
	"strings"
)

// share builds a Share from its document as far as that stands alone, and
// hands its bucket and roles to the merger.
func (l *loader) share(raw *rawShare) *Share {
	meta, spec := &raw.metadata.value, &raw.spec.value
	share := &Share{Name: meta.name.value, Owner: meta.owner.value, Description: meta.description.value, Pos: meta.name.pos}
	l.sink.share = share.Name
	defer func() { l.sink.share, l.account = "", "" }()

	if l.check(meta.name, "the share's name", codeName, name) {
		if first, again := l.names[share.Name]; again {
			l.fail(codeDuplicate, meta.name.pos, "rename one of the two", "a share named %q stands at %s already", share.Name, first)
		} else {
			l.names[share.Name] = meta.name.pos
		}
	}
	l.check(meta.owner, "owner", codeTag, tagValue)
	l.bucket(share, &spec.bucket.value)
	seen := map[string]Pos{}
	for i := range spec.consumers.items {
		l.consumer(share, &spec.consumers.items[i].value, spec.consumers.items[i].pos, seen)
	}
	l.account = ""
	return share
}

func (l *loader) bucket(share *Share, raw *rawBucket) {
	b := &share.Bucket
	b.Name, b.Create, b.Pos = raw.name.value, raw.create.value, raw.name.pos
	b.Account = l.accountOf(raw.account)
	named := l.check(raw.name, "the bucket name", codeBucketName, bucketName)
	b.Region = l.region(raw.region, l.partition())
	if b.Account != nil && !b.Account.Manage && b.Create {
		l.fail(codePartner, raw.create.pos, "take create out: its owner makes the bucket", "account %s has manage: false, so xshare creates no bucket there", printable(b.Account.Alias))
	}
	if named && b.Account != nil {
		l.merge.bucket(share, raw)
	}
}

func (l *loader) partition() string {
	if l.repo == nil {
		return ""
	}
	return regionPartition(l.repo.Region)
}

// accountOf finds the account that an alias names, and makes it the account of
// the problems that follow. It is nil after an error, and where xshare.yaml
// could not be read.
func (l *loader) accountOf(alias text) *Account {
	l.account = ""
	if !alias.ok() || l.repo == nil {
		return nil
	}
	a := l.accounts[alias.value]
	if a == nil {
		if other := l.ids[alias.value]; other != nil {
			l.fail(codeUnknownAccount, alias.pos, "write its alias: "+printable(other.Alias), "account %s is an id, not an alias", quote(alias.value))
			return nil
		}
		mend := "add it to " + RepositoryFile
		if len(l.aliases) > 0 {
			mend = suggest(alias.value, l.aliases, mend+", which has ")
		}
		l.fail(codeUnknownAccount, alias.pos, mend, "account %s is not in %s", quote(alias.value), RepositoryFile)
		return nil
	}
	if a.Retired {
		l.fail(codeRetired, alias.pos, "take the share out, or retired: true at "+a.Pos.String(), "account %s is retired and can have no shares", printable(a.Alias))
	}
	l.account = a.ID
	return a
}

func (l *loader) consumer(share *Share, raw *rawConsumer, pos Pos, seen map[string]Pos) {
	c := &Consumer{Pos: pos, PolicyName: raw.policyName.value}
	share.Consumers = append(share.Consumers, c)
	c.Account = l.accountOf(raw.account)
	role := &raw.role.value
	named := l.role(c, role)
	if named && c.Account != nil {
		key := c.Account.ID + "/" + strings.ToLower(c.Role.Name)
		if first, again := seen[key]; again {
			l.fail(codeDuplicate, pos, "put both into one consumer", "role %q of account %s is a consumer of this share already, at %s", c.Role.Name, c.Account.Alias, first)
		}
		seen[key] = pos
	}
	l.access(share, c, raw)
	l.check(raw.policyName, "policyName", codePolicyName, policyName)
	l.instances(c, raw)
	if c.Account != nil && !c.Account.Manage {
		l.partner(raw)
		if owner := share.Bucket.Account; owner != nil && !owner.Manage {
			l.warn(codePartner, raw.account.pos, "put manage: true on one of the accounts", "neither account %s nor %s is managed, so there is nothing to do for this consumer",
				printable(owner.Alias), printable(c.Account.Alias))
		}
	}
	if named && c.Account != nil {
		l.merge.role(share, c, raw)
	}
}

// partner checks a consumer in an account that is not ours to write.
func (l *loader) partner(raw *rawConsumer) {
	role := &raw.role.value
	if role.create.value {
		l.fail(codePartner, role.create.pos, "take create out: its owner makes the role", "account %s has manage: false, so xshare creates no role there", printable(raw.account.value))
	}
	if len(raw.instances.items) > 0 {
		l.fail(codePartner, raw.instances.pos, "take instances out: its owner runs them", "account %s has manage: false, so xshare launches and changes no instance there", printable(raw.account.value))
	}
	if role.instanceProfile.stated() {
		pos := role.instanceProfile.flag.pos
		if role.instanceProfile.text.stated() {
			pos = role.instanceProfile.text.pos
		}
		l.fail(codePartner, pos, "take instanceProfile out: its owner makes it", "account %s has manage: false, so xshare makes no instance profile there", printable(raw.account.value))
	}
	if raw.policyName.stated() {
		l.warn(codeUnused, raw.policyName.pos, "take it out", "policyName has no effect in an account with manage: false")
	}
}

// accessWords are the access words by rank.
var accessWords = []Access{AccessList, AccessRead, AccessWrite, AccessDelete, AccessFull}

func (l *loader) access(share *Share, c *Consumer, raw *rawConsumer) {
	if !raw.access.stated() && !raw.actions.stated() {
		l.fail(codeMissing, c.Pos, "add access: [read], or what is needed", "the consumer has neither access nor actions")
	}
	words := make([]string, len(accessWords))
	for i, w := range accessWords {
		words[i] = string(w)
	}
	seen := map[string]Pos{}
	var full Pos
	for _, word := range raw.access.items {
		if !word.ok() {
			continue
		}
		if !slices.Contains(words, word.value) {
			l.fail(codeAccess, word.pos, suggest(word.value, words, "the words are "), "access %s is not known", quote(word.value))
			continue
		}
		if !l.once(seen, word, "access") {
			continue
		}
		c.Access = append(c.Access, Access(word.value))
		if word.value == string(AccessFull) {
			full = word.pos
		}
	}
	slices.SortFunc(c.Access, func(a, b Access) int {
		return slices.Index(accessWords, a) - slices.Index(accessWords, b)
	})
	l.actions(share, c, raw)
	l.prefixes(c, raw.prefixes)
	switch {
	case full.Line == 0:
	case raw.prefixes.stated():
		l.fail(codeFullAccess, full, "take full or the prefixes out", "access full is the whole bucket and does not go with prefixes")
	default:
		l.warn(codeFullAccess, full, "write the words that are needed, such as [read, write, delete]",
			"access full opens every S3 action, changing the bucket's own policy included")
	}
}

func (l *loader) prefixes(c *Consumer, raw texts) {
	at, seen := map[string]Pos{}, map[string]Pos{}
	for _, p := range raw.items {
		if l.check(p, "the prefix", codePrefix, prefix) && l.once(seen, p, "the prefix") {
			c.Prefixes, at[p.value] = append(c.Prefixes, p.value), p.pos
		}
	}
	slices.Sort(c.Prefixes)
	outer := ""
	for _, p := range c.Prefixes {
		if outer != "" && strings.HasPrefix(p, outer) {
			l.warn(codePrefixOverlap, at[p], "take it out", "the prefix %s lies in %s already", quote(p), quote(outer))
			continue
		}
		outer = p
	}
}

// latin1 is what a policy's text may hold, see
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html.
var latin1 = regexp.MustCompile(`^[\x{20}-\x{7e}\x{a0}-\x{ff}]+$`)

// IsPrefix reports whether a consumer can be held to the prefix.
func IsPrefix(v string) bool {
	wrong, _ := prefix(v)
	return wrong == "" && !strings.ContainsFunc(v, hidden)
}

// IsOwner reports whether a share can have the owner.
func IsOwner(v string) bool {
	wrong, _ := tagValue(v)
	return wrong == "" && v != "" && !strings.ContainsFunc(v, hidden)
}

func prefix(v string) (string, string) {
	switch {
	case strings.HasPrefix(v, "s3://") || strings.HasPrefix(v, "arn:"):
		return "is not a plain prefix", "write what the keys start with, such as incoming/"
	case strings.Trim(v, "/") == "":
		return "is only a slash, and S3 keys have no leading slash", "leave prefixes out, which means the whole bucket"
	case strings.HasPrefix(v, "/"):
		return "starts with a slash", "write " + quote(strings.TrimLeft(v, "/")) + ": S3 keys have no leading slash"
	case strings.ContainsAny(v, "*?$"):
		return "has one of * ? $, which mean more than themselves in a policy", "write the prefix without them: everything below it is included"
	case !strings.HasSuffix(v, "/"):
		return "does not end in a slash", "write " + quote(v+"/") + ": without the slash " + quote(v+"-other") + " would be open too"
	case len(v) > 1000:
		return "is longer than 1000 bytes", "shorten it: an S3 key has at most 1024"
	case !latin1.MatchString(v):
		return "has characters that a policy cannot hold", "use letters up to U+00FF"
	}
	return "", ""
}
