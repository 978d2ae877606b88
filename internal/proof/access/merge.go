package access

import (
	"slices"

	"github.com/xshare/xshare/internal/iampolicy"
)

// bag is what the callers of one name gain, or lose.
type bag struct {
	label string
	of    map[string]found // by found.id
}

func newBag(label string, list []found) *bag {
	b := &bag{label, map[string]found{}}
	for _, f := range list {
		b.of[f.id()] = f
	}
	return b
}

// lift moves what all of some callers have to a name that stands for them and
// for others: those lose it too, and who does not have it is an exception.
func lift(label string, all, others []*bag) *bag {
	up := newBag(label, nil)
	for id, f := range all[0].of {
		f.when.except = nil
		everywhere := true
		for _, b := range all {
			_, has := b.of[id]
			everywhere = everywhere && has
		}
		if !everywhere {
			continue
		}
		for _, b := range all {
			f.when.except = append(f.when.except, b.of[id].when.except...)
			delete(b.of, id)
		}
		up.of[id] = f.but(id, others)
	}
	return up
}

// but takes what was found from others too, and excepts those who do not have
// it. Where such a one is a pattern, which others may be within, these keep it;
// also where it was one of all accounts.
func (f found) but(id string, others []*bag) found {
	keep := slices.ContainsFunc(others, func(b *bag) bool {
		_, has := b.of[id]
		return !has && hasWildcard(b.label)
	}) || slices.ContainsFunc(f.when.except, func(label string) bool { return hasWildcard(iampolicy.CutARN(label).Account) })
	for _, b := range others {
		has, ok := b.of[id]
		if !ok {
			f.when.except = append(f.when.except, b.label)
			continue
		}
		f.when.except = append(f.when.except, has.when.except...)
		if !keep {
			delete(b.of, id)
		}
	}
	return f
}

// accountBags are those of one account: whole is what everybody there has.
type accountBags struct {
	account     *account
	whole       *bag
	rest, named []*bag // in the account's order
	sessions    []*bag
}

// merged says it in as few names as there are for the same callers.
func (all *callers) merged(of func(*caller) []found) []*bag {
	single := func(c *caller) *bag { return newBag(c.label, of(c)) }
	var accounts []*accountBags
	for _, a := range all.accounts {
		accounts = append(accounts, a.merged(single))
	}
	var services []*bag
	for _, c := range all.services {
		services = append(services, single(c))
	}
	outside, anonymous, service := all.outside.merged(single), single(all.anonymous), single(all.service)

	world := liftOver("*", []*bag{outside.whole, anonymous, service}, accounts, services)
	anywhere := liftOver(outside.whole.label, []*bag{outside.whole}, accounts, nil)
	anyService := lift(service.label, []*bag{service}, services)
	list := append([]*bag{world, anywhere, anyService, anonymous}, services...)
	for i, c := range outside.account.rest {
		list = append(list, liftKind(c, outside.rest[i], outside, accounts))
	}
	everywhere := slices.Concat(accounts, []*accountBags{outside})
	for _, family := range outside.families() {
		outside.liftFamily(family, everywhere)
	}
	for _, a := range accounts {
		list = append(list, a.parts()...)
	}
	return slices.Concat(list, []*bag{outside.whole}, outside.named, outside.sessions)
}

// families are the places of those named callers that are known by patterns
// only, the widest first.
func (b *accountBags) families() []int {
	var list []int
	for i, c := range b.account.named {
		if c.isFamily {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(i, j int) int { return len(b.account.named[i].within) - len(b.account.named[j].within) })
	return list
}

// liftFamily is lift over all callers that match the same patterns as a family.
func (b *accountBags) liftFamily(family int, accounts []*accountBags) {
	c := b.account.named[family]
	up := lift(c.label, []*bag{b.named[family]}, nil)
	for id, f := range up.of {
		for _, a := range accounts {
			var own []*bag
			for i, n := range a.account.named {
				if n != c && !slices.ContainsFunc(c.within, func(p string) bool { return !slices.Contains(n.within, p) }) {
					own = append(own, a.named[i])
				}
			}
			f = a.but(f, id, own)
		}
		up.of[id] = f
	}
	b.named[family].of = up.of
}

// liftKind is lift over the callers of one kind, such as roles, of all accounts.
func liftKind(c *caller, b *bag, outside *accountBags, accounts []*accountBags) *bag {
	up := lift(c.label, []*bag{b}, outside.ofKind(c.iam.Kind))
	for id, f := range up.of {
		for _, a := range accounts {
			for i, r := range a.account.rest {
				if r.iam.Kind == c.iam.Kind {
					f = a.but(f, id, append([]*bag{a.rest[i]}, a.ofKind(c.iam.Kind)...))
				}
			}
		}
		up.of[id] = f
	}
	return up
}

// but is found.but for callers of the account; where the account as a whole has
// it, only those do not have it whom that excepts.
func (b *accountBags) but(f found, id string, own []*bag) found {
	whole, ok := b.whole.of[id]
	if !ok {
		return f.but(id, own)
	}
	for _, o := range own {
		if slices.Contains(whole.when.except, o.label) {
			f.when.except = append(f.when.except, o.label)
		}
		f.when.except = append(f.when.except, o.of[id].when.except...)
	}
	return f
}

// ofKind are the bags of those named callers that are of a kind.
func (b *accountBags) ofKind(kind iampolicy.PrincipalKind) []*bag {
	var list []*bag
	for i, c := range b.account.named {
		if c.iam.Kind == kind {
			list = append(list, b.named[i])
		}
	}
	return list
}

// liftOver is lift over whole accounts: one that does not have it as a whole
// may have it in parts.
func liftOver(label string, all []*bag, accounts []*accountBags, services []*bag) *bag {
	up := lift(label, all, services)
	for id, f := range up.of {
		for _, a := range accounts {
			others := []*bag{a.whole}
			if _, whole := a.whole.of[id]; !whole {
				others = slices.Concat(a.rest, a.named)
			}
			f = f.but(id, others)
		}
		up.of[id] = f
	}
	return up
}

func (a *account) merged(single func(*caller) *bag) *accountBags {
	bags := &accountBags{account: a}
	for _, c := range a.rest {
		bags.rest = append(bags.rest, single(c))
	}
	for _, c := range a.named {
		b := single(c)
		var own []*bag
		for _, s := range a.sessions[c.label] {
			own = append(own, single(s))
		}
		b.of = lift(b.label, []*bag{b}, own).of
		bags.sessions = append(bags.sessions, own...)
		bags.named = append(bags.named, b)
	}
	bags.whole = lift(a.label, bags.rest, bags.named)
	return bags
}

// parts are an account's bags when all has been lifted that is common to more
// than the account.
func (b *accountBags) parts() []*bag {
	list := []*bag{b.whole}
	for i, c := range b.account.rest {
		list = append(list, lift(c.label, []*bag{b.rest[i]}, b.ofKind(c.iam.Kind)))
	}
	for _, family := range b.families() {
		b.liftFamily(family, []*accountBags{b})
	}
	return slices.Concat(list, b.named, b.sessions)
}
