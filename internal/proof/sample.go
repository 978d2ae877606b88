package proof

import (
	"fmt"
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
//
// Where every object is in some pattern, none stands for all: then what is not
// denied was not checked.

// calls are a grant's, each on an object that no narrower pattern covers, and
// those on objects within one that fare worse. So with listings: one of a whole
// bucket may send any prefix.
func (p *prover) calls(g plan.Grant, s *sides) []call {
	var list []call
	by := map[string]*patterns{}
	for _, c := range calls(g) {
		base, ok := strings.CutSuffix(c.promised, "*")
		if !ok || c.resource == c.promised {
			others := s.listings(&c, p.request(g, s.role, c))
			list = append(append(list, c), p.worse(g, s, c, others)...)
			continue
		}
		if by[base] == nil {
			by[base] = p.objects(g, s, base, p.request(g, s.role, c))
		}
		key, found := by[base].spare()
		c.resource = base + key
		if !found {
			c.open = fmt.Sprintf("every object of %s matches a pattern that does not match all of them, so that no object stands for the others", c.promised)
		} else if by[base].varied && len(keyUses[c.action]) > 0 {
			c.open = fmt.Sprintf("policies that compare with ${%s}, so that no object stands for the others", s3Context)
		}
		others := by[base].others(&c, func(one *call, object string) { one.resource = object })
		list = append(append(list, c), p.worse(g, s, c, others)...)
	}
	return list
}

// others are a call on each text that may fare otherwise; last are those that
// are tried where no other fares worse.
type others struct{ first, last []call }

// others are those of a call, which says where they are not all; more are
// further such texts.
func (p *patterns) others(c *call, put func(*call, string), more ...string) others {
	on := func(text string) call {
		one := *c
		put(&one, text)
		one.open = ""
		return one
	}
	var o others
	texts := append(p.taken(), more...)
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		o.first = append(o.first, on(text))
	}
	if p.mixed {
		texts, ok := p.cells()
		if !ok {
			c.open = fmt.Sprintf("the patterns of policies below %s are too many to go through what each leaves of the others", string(p.base))
		}
		for _, text := range texts {
			o.last = append(o.last, on(text))
		}
	}
	return o
}

// worse are those of others that fare worse than a call, if that is not denied
// itself: then the same would be told of each.
func (p *prover) worse(g plan.Grant, s *sides, c call, o others) []call {
	if len(o.first)+len(o.last) == 0 {
		return nil
	}
	fares := p.fares(g, s, c)
	if fares == Denied {
		return nil
	}
	var list []call
	worst := fares
	for _, one := range o.first {
		if v := p.fares(g, s, one); gravity[v] < gravity[fares] {
			list, worst = append(list, one), worse(worst, v)
		}
	}
	for _, one := range o.last {
		if v := p.fares(g, s, one); gravity[v] < gravity[worst] {
			list, worst = append(list, one), v
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

const prefixKey = "s3:prefix"

// listings are those that policies may tell apart from a promised one: of other
// prefixes below the same one, or below none. The call says where none stands for
// those that no pattern tells apart.
func (s *sides) listings(c *call, req iampolicy.Request) others {
	if !iampolicy.SendsPrefix(c.action) {
		return others{}
	}
	base, below := "", true
	sent, held := c.context[prefixKey]
	if held {
		base, below = strings.CutSuffix(sent, sampleKey)
	}
	if !below {
		return others{}
	}
	found := &patterns{base: []rune(base), known: s.known(req), context: req.Context}
	found.addValues(s.all(), prefixKey)
	key, ok := found.spare()
	if !ok {
		c.open = fmt.Sprintf("every prefix below %q matches a pattern that does not match all of them, so that no listing stands for the others", base)
	} else if found.varied {
		c.open = fmt.Sprintf("policies that compare with ${%s}, so that no listing stands for the others", prefixKey)
	}
	more := []string{base + key}
	if !held {
		more = append(more, "")
	}
	return found.others(c, func(one *call, prefix string) { one.context = map[string]string{prefixKey: prefix} }, more...)
}
