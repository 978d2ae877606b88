package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/xshare/xshare/plan"
)

// noun is what people call a resource of this type.
func noun(t plan.Type) string {
	switch t {
	case plan.TypeBucket:
		return "bucket"
	case plan.TypeBucketPolicy:
		return "bucket policy"
	case plan.TypeRole:
		return "role"
	case plan.TypePolicy:
		return "managed policy"
	case plan.TypeAttachment:
		return "attachment of"
	case plan.TypeInstanceProfile:
		return "instance profile"
	case plan.TypeInstance:
		return "instance"
	case plan.TypeAssociation:
		return "instance profile of"
	}
	return clean(string(t))
}

// called is the name of a change's resource, clean, without its account.
func called(c *plan.Change) string {
	role, policy, ok := strings.Cut(c.Name, "/")
	if c.Type == plan.TypeAttachment && ok {
		return clean(policy) + " to " + clean(role)
	}
	return clean(c.Name)
}

// resource is noun and name, clean.
func resource(c *plan.Change) string { return noun(c.Type) + " " + called(c) }

// place is an account as people know it: alias and id.
func place(p *plan.Plan, account string) string {
	if a := p.Aliases[account]; a != "" {
		return clean(a) + " (" + clean(account) + ")"
	}
	return cmp.Or(clean(account), "no account")
}

// alias is an account's alias or, without one, its id.
func alias(p *plan.Plan, account string) string { return clean(cmp.Or(p.Aliases[account], account)) }

// grant is the grant that a part is, or whoever loses access by it.
func grant(part plan.PartChange) string {
	if part.Share == "" {
		return clean(part.Consumer) + ", which no spec states any more"
	}
	return clean(part.Share) + ": " + clean(part.Consumer)
}

// symbol is the sign of an action, with its colour.
func symbol(a plan.Action) (string, colour) {
	switch a {
	case plan.Create:
		return "+", green
	case plan.Update:
		return "~", yellow
	case plan.Delete:
		return "-", red
	case plan.Adopt:
		return ">", cyan
	case plan.Error:
		return "!", red
	}
	return " ", plain
}

// blockedSymbol is the sign of what cannot be tried, since what it needs cannot
// be done.
const blockedSymbol = "x"

// past is what was done by an action.
func past(a plan.Action) string {
	switch a {
	case plan.Create:
		return "created"
	case plan.Update:
		return "updated"
	case plan.Delete:
		return "removed"
	case plan.Adopt:
		return "adopted"
	}
	return "left"
}

// about is what a person wants to know of a new resource beside its name.
func about(c *plan.Change) string {
	switch want := c.Want.(type) {
	case plan.Bucket:
		if want.Region != "" {
			return "in " + clean(want.Region)
		}
	case plan.Role:
		if services := trusted(want.Trust); services != "" {
			return "trusted by " + services
		}
	case plan.Instance:
		return fmt.Sprintf("(%s, %s, %s)", clean(want.Type), clean(want.Image), clean(want.Region))
	case plan.InstanceProfile:
		if want.Role != want.Name {
			return "with role " + clean(want.Role)
		}
	case plan.Association:
		return "becomes " + clean(want.ProfileARN[strings.LastIndex(want.ProfileARN, "/")+1:])
	}
	return ""
}

// byAccount groups changes, accounts in the order in which the first change of
// each is done.
func byAccount(changes []*plan.Change) [][]*plan.Change {
	var groups [][]*plan.Change
	at := map[string]int{}
	for _, c := range changes {
		i, ok := at[c.Account]
		if !ok {
			i = len(groups)
			at[c.Account] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], c)
	}
	return groups
}
