package proof

import (
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
	"github.com/xshare/xshare/plan"
)

// How few objects, and listings, stand for all.
//
// Premise: a grant promises every object under a prefix, and a proof can try
// only some. Policies tell objects apart by their patterns alone, so one object
// in each pattern that lies within the prefix, and one in none, stand for all:
// the one in none is allowed only by a statement that covers the prefix, so
// that another can fail only where a pattern takes it out, of a Deny or of an
// Allow by NotResource. Statements about the bucket's key have their patterns in
// conditions on what is encrypted, and those about listings on s3:prefix.

// calls are a grant's, each on an object that no narrower pattern covers, and
// those on objects within one that fare worse. So with listings: one of a whole
// bucket may send any prefix.
func (p *prover) calls(g plan.Grant, s *sides) []call {
	var list []call
	by := map[string]*patterns{}
	for _, c := range calls(g) {
		base, ok := strings.CutSuffix(c.promised, "*")
		if !ok || c.resource == c.promised {
			list = append(append(list, c), p.worse(g, s, c, s.listings(c, p.request(g, s.role, c)))...)
			continue
		}
		if by[base] == nil {
			by[base] = s.patterns(base, p.request(g, s.role, c))
		}
		c.resource = base + by[base].key()
		others := make([]call, len(by[base].taken))
		for i, resource := range by[base].taken {
			others[i] = c
			others[i].resource = resource
		}
		list = append(append(list, c), p.worse(g, s, c, others)...)
	}
	return list
}

// worse are those of others that fare worse than a call, if that is not denied
// itself: then the same would be told of each.
func (p *prover) worse(g plan.Grant, s *sides, c call, others []call) []call {
	var list []call
	if len(others) == 0 {
		return nil
	}
	fares := p.fares(g, s, c)
	for _, one := range others {
		if fares != Denied && gravity[p.fares(g, s, one)] < gravity[fares] {
			list = append(list, one)
		}
	}
	return list
}

// fares is what the policies say of a call, and of what it does with the
// bucket's key.
func (p *prover) fares(g plan.Grant, s *sides, c call) Verdict {
	verdict := Allowed
	see := func(best, worst iampolicy.Decision) {
		switch {
		case !best.Allowed():
			verdict = Denied
		case !worst.Allowed():
			verdict = worse(verdict, NotChecked)
		}
	}
	req := p.request(g, s.role, c)
	see(s.decide(req))
	if k := s.key; k.unread == "" && k.key != nil {
		for _, use := range keyUses[c.action] {
			see(s.onKey().decide(p.keyRequest(g, k, req, use.action)))
		}
	}
	return verdict
}

// byPrefix are the actions that send s3:prefix.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
var byPrefix = map[string]bool{"s3:ListBucket": true, "s3:ListBucketVersions": true}

const prefixKey = "s3:prefix"

// listings are those that policies may tell apart from a promised one: of other
// prefixes below the same one, or below none.
func (s *sides) listings(c call, req iampolicy.Request) []call {
	if !byPrefix[c.action] {
		return nil
	}
	var prefixes []string
	base, below := "", true
	if sent, ok := c.context[prefixKey]; ok {
		base, below = strings.CutSuffix(sent, sampleKey)
	} else {
		prefixes = append(prefixes, "")
	}
	if !below {
		return nil
	}
	found := patterns{base: base}
	for _, pattern := range valuesOf(s.all(), prefixKey) {
		if among := within(withValues(pattern, req), base); len(among) > 0 {
			found.narrow = append(found.narrow, withValues(pattern, req))
			prefixes = append(prefixes, among...)
		}
	}
	prefixes = append(prefixes, base+found.key())
	slices.Sort(prefixes)
	var list []call
	for _, prefix := range slices.Compact(prefixes) {
		one := c
		one.context = map[string]string{prefixKey: prefix}
		list = append(list, one)
	}
	return list
}

// valuesOf are the values of all conditions on a key.
func valuesOf(sides []side, key string) []string {
	var list []string
	for _, side := range sides {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				for _, c := range statement.Condition {
					if strings.EqualFold(c.Key, key) {
						list = append(list, c.Values...)
					}
				}
			}
		}
	}
	return list
}

// patterns are those of all sides that some of the objects under one prefix
// match, and not all.
type patterns struct {
	base   string
	narrow []string
	taken  []string // an object in each of those that take objects out
}

// patterns looks for them. The request has the values of policy variables.
func (s *sides) patterns(base string, req iampolicy.Request) *patterns {
	found := &patterns{base: base}
	if _, key, _ := strings.Cut(base, "/"); key != "" {
		found.taken = append(found.taken, base) // an object may be named as the prefix itself
	}
	for _, side := range s.all() {
		for _, named := range side.policies {
			for _, statement := range named.Document.Statements {
				takes := [2][]string{statement.NotResource, statement.Resource}
				if statement.Effect == iampolicy.Deny {
					takes[0], takes[1] = takes[1], takes[0]
				}
				for i, list := range takes {
					for _, pattern := range list {
						objects := within(withValues(pattern, req), base)
						if len(objects) > 0 {
							found.narrow = append(found.narrow, withValues(pattern, req))
						}
						if i == 0 {
							found.taken = append(found.taken, objects...)
						}
					}
				}
			}
		}
	}
	if s.key.key != nil && !s.key.bucket {
		for _, pattern := range valuesOf(s.onKey().all(), s3Context) {
			objects := within(withValues(pattern, req), base)
			if len(objects) > 0 {
				found.narrow = append(found.narrow, withValues(pattern, req))
			}
			found.taken = append(found.taken, objects...)
		}
	}
	slices.Sort(found.taken)
	found.taken = slices.Compact(found.taken)
	return found
}

// key is one that no narrow pattern matches, where one is found: one of a
// character that is in none of them can match only their wildcards, of which
// one that is long escapes those that want few characters, and one that is
// short those that want many.
func (p *patterns) key() string {
	longest, rare := 0, ""
	for _, pattern := range p.narrow {
		longest = max(longest, len(pattern))
	}
	for _, c := range "0_~Z9jqx!|" {
		if !slices.ContainsFunc(p.narrow, func(pattern string) bool { return strings.ContainsRune(pattern, c) }) {
			rare = string(c)
			break
		}
	}
	for _, key := range []string{sampleKey, "0" + sampleKey + "0", "_" + sampleKey + "_", strings.Repeat(rare, longest+1), rare} {
		if key != "" && !slices.ContainsFunc(p.narrow, func(pattern string) bool { return slices.Contains(reached(pattern, p.base+key), len(pattern)) }) {
			return key
		}
	}
	return sampleKey
}

// withValues replaces the policy variables of which the request has one value.
func withValues(pattern string, req iampolicy.Request) string {
	if !strings.Contains(pattern, "${") {
		return pattern
	}
	for key, values := range req.Context {
		if len(values) == 1 {
			pattern = strings.ReplaceAll(pattern, "${"+key+"}", values[0])
		}
	}
	return pattern
}

// within are objects under base that a pattern matches; none where it matches
// all of them, or none.
func within(pattern, base string) []string {
	var list []string
	for _, at := range reached(pattern, base) {
		rest := pattern[at:]
		if rest == "*" {
			return nil
		}
		if object := base + strings.NewReplacer("*", sampleKey, "?", "x").Replace(rest); object != base {
			list = append(list, object)
		}
	}
	return list
}

// reached are the places in a pattern at which a text may end that began at its
// start; its length is among them where the text matches.
func reached(pattern, text string) []int {
	literal := strings.IndexAny(pattern, "*?")
	if literal < 0 {
		literal = len(pattern)
	}
	if n := min(literal, len(text)); pattern[:n] != text[:n] {
		return nil
	}
	at := map[int]bool{}
	var enter func(i int)
	enter = func(i int) {
		if at[i] {
			return
		}
		at[i] = true
		if i < len(pattern) && pattern[i] == '*' {
			enter(i + 1)
		}
	}
	enter(0)
	for j := range len(text) {
		before := at
		at = map[int]bool{}
		for i := range before {
			switch {
			case i == len(pattern):
			case pattern[i] == '*':
				enter(i)
			case pattern[i] == '?' || pattern[i] == text[j]:
				enter(i + 1)
			}
		}
	}
	var list []int
	for i := range at {
		list = append(list, i)
	}
	slices.Sort(list)
	return list
}
