package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/xshare/xshare/internal/iampolicy"
)

// What of a statement is looked at in every kind of policy.

func (l *linter) principals() {
	named := l.s.Principal != nil || l.s.NotPrincipal != nil
	if l.kind == IdentityPolicy {
		if named {
			l.add(PrincipalInIdentity, principalElement(l.s), "names a principal, which IAM refuses in a policy that is attached to one", "take it out")
		}
		return
	}
	if !named && len(l.s.Unknown) == 0 {
		l.add(NoPrincipal, "", "names no principal, which AWS refuses", "add Principal")
	}
	for _, p := range []*iampolicy.Principals{l.s.Principal, l.s.NotPrincipal} {
		if p != nil {
			l.principalForms(p)
		}
	}
	if l.s.Principal == nil || !l.allows() {
		return
	}
	callers, _ := l.callers()
	for _, c := range callers {
		l.account(c)
	}
}

func principalElement(s *iampolicy.Statement) string {
	if s.NotPrincipal != nil {
		return "NotPrincipal"
	}
	return "Principal"
}

// principalForms looks at how principals are written. The ids of what was
// deleted are let be in a Deny: there AWS keeps them, and they do no harm.
func (l *linter) principalForms(p *iampolicy.Principals) {
	for _, name := range slices.Concat(p.AWS, p.Service, p.Federated) {
		if iampolicy.HasWildcard(name) {
			l.add(WildcardPrincipal, principalElement(l.s), fmt.Sprintf("names the principal %s with a wildcard, which AWS refuses or never matches", name),
				"write it in full, or \"*\" with a condition ArnLike on aws:PrincipalArn")
		}
	}
	for _, name := range p.AWS {
		if iampolicy.IsEntityID(name) && l.allows() {
			l.add(DeadPrincipal, principalElement(l.s), fmt.Sprintf("names %s, the id of a role or user that was deleted: it matches nobody", name),
				"take it out, or name the role that is there now")
		}
	}
}

// positive tells operators that hold only where the key is there and is like a
// value.
func positive(operator string) bool {
	op := strings.ToLower(operator)
	return !strings.Contains(op, "not") && !strings.HasSuffix(op, "ifexists") && !strings.HasPrefix(op, "forallvalues:") && op != "null"
}

func (l *linter) negations() {
	if !l.allows() {
		switch {
		case l.s.NotPrincipal == nil:
		case l.kind == TrustPolicy:
			l.add(TrustNotPrincipal, "NotPrincipal", "has NotPrincipal, which IAM takes in no trust policy", "write Principal \"*\" and a condition ArnNotEquals on aws:PrincipalArn")
		default:
			l.add(DenyNotPrincipal, "NotPrincipal", "denies by NotPrincipal, which also stops roles with a permissions boundary and sessions that are not named",
				"write Principal \"*\" and a condition ArnNotEquals on aws:PrincipalArn")
		}
		return
	}
	if l.s.NotPrincipal != nil {
		l.add(AllowNotPrincipal, "NotPrincipal", "allows by NotPrincipal: that is everybody else in the world", "name the principals that are to come in")
	}
	if len(l.s.NotAction) > 0 {
		l.add(AllowNotAction, "NotAction", "allows by NotAction: that is every other action, later ones included", "write Action with what is needed")
	}
	if len(l.s.NotResource) > 0 {
		l.add(AllowNotResource, "NotResource", "allows by NotResource: that is every other resource", "write Resource with what is needed")
	}
}

// conditions looks for conditions of an Allow that an absent key meets.
func (l *linter) conditions() {
	if !l.allows() {
		return
	}
	for _, c := range l.s.Condition {
		op := strings.ToLower(c.Operator)
		switch {
		case l.neededKey(c.Key):
		case strings.HasPrefix(op, "forallvalues:"):
			l.add(ForAllValues, "Condition", fmt.Sprintf("allows by %s on %s, which holds where the key is absent", c.Operator, c.Key),
				fmt.Sprintf("write ForAnyValue, or add a condition Null with %s false", c.Key))
		case strings.HasSuffix(op, "ifexists"):
			l.add(IfExists, "Condition", fmt.Sprintf("allows by %s on %s, which holds where the key is absent", c.Operator, c.Key), "write the operator without IfExists")
		}
	}
}

// neededKey reports whether another condition of the statement makes sure that
// the key is there.
func (l *linter) neededKey(key string) bool {
	return slices.ContainsFunc(l.s.Condition, func(c iampolicy.Condition) bool {
		return strings.EqualFold(c.Operator, "Null") && strings.EqualFold(c.Key, key) &&
			len(c.Values) == 1 && strings.EqualFold(c.Values[0], "false")
	})
}

func (l *linter) variables() {
	if l.document.Version == iampolicy.Version2012 {
		return
	}
	report := func(element string, values []string) {
		for _, v := range values {
			if strings.Contains(v, "${") {
				l.add(Variables2008, element, fmt.Sprintf("has %s, which is plain text in a policy without Version %s and matches nothing", v, iampolicy.Version2012),
					`add "Version": "`+iampolicy.Version2012+`"`)
			}
		}
	}
	report("Resource", l.s.Resource)
	report("NotResource", l.s.NotResource)
	for _, c := range l.s.Condition {
		report("Condition", c.Values)
	}
}

func (l *linter) partitions() {
	if l.about.Partition == "" {
		return
	}
	report := func(element string, arns []string) {
		for _, arn := range arns {
			fields := strings.SplitN(arn, ":", 3)
			if len(fields) < 3 || fields[0] != "arn" || iampolicy.HasWildcard(fields[1]) || fields[1] == l.about.Partition {
				continue
			}
			l.add(WrongPartition, element, fmt.Sprintf("names %s, of another partition than %s", arn, l.about.Partition), "write arn:"+l.about.Partition+":"+fields[2])
		}
	}
	if p := l.s.Principal; p != nil {
		report("Principal", slices.Concat(p.AWS, p.Federated))
	}
	report("Resource", l.s.Resource)
}

// trustDefault is IAM's default quota for a trust policy (IAM:reference_iam-quotas).
const trustDefault = 2048

// whole looks at the document as a whole.
func (l *linter) whole() {
	seen := map[string]bool{}
	for i, s := range l.document.Statements {
		if s.Sid != "" && seen[s.Sid] {
			l.index, l.s = i, &l.document.Statements[i]
			l.add(DuplicateSid, "Sid", "has a Sid that stands twice, which AWS refuses", "give one of the two another Sid")
		}
		seen[s.Sid] = true
	}
	l.index, l.s = -1, nil
	l.size()
	switch l.kind {
	case BucketPolicy:
		l.public()
	case TrustPolicy:
		l.trustWhole()
	}
}

func (l *linter) size() {
	size, most, unit, code := iampolicy.Size(l.text), iampolicy.MaxManagedPolicy, "characters", PolicyTooLarge
	warnAt := most + 1 // xshare fills permissions policies to the brim, and splits them
	switch l.kind {
	case BucketPolicy:
		size, most, unit, code = len(l.text), iampolicy.MaxBucketPolicy, "bytes", BucketPolicyTooLarge
		warnAt = most - most/10
	case TrustPolicy:
		most, warnAt = iampolicy.MaxTrustPolicy, trustDefault+1
	}
	switch {
	case size > most:
		row, _ := LintOf(string(code))
		l.add(code, "", fmt.Sprintf("has %d %s, more than the %d that AWS takes", size, unit, most), row.Mend)
	case size >= warnAt && l.kind == TrustPolicy:
		l.add(SizeNearLimit, "", fmt.Sprintf("has %d %s, more than IAM's default quota of %d", size, unit, trustDefault), "shorten it, or have the account's quota raised")
	case size >= warnAt:
		l.add(SizeNearLimit, "", fmt.Sprintf("has %d %s of the %d that AWS takes", size, unit, most), "make it smaller before it no longer fits")
	}
}

// public looks for the statement that makes a policy public.
func (l *linter) public() {
	for i := range l.document.Statements {
		s := &l.document.Statements[i]
		if s.Effect != iampolicy.Allow || s.Principal == nil {
			continue // what lacks a principal, or has NotPrincipal, is told as such
		}
		if public, _ := iampolicy.Public(&iampolicy.Document{Version: l.document.Version, Statements: []iampolicy.Statement{*s}}); public {
			l.index, l.s = i, s
			l.add(PublicPolicy, "Principal", "is public: it is limited neither to fixed principals nor by a condition that makes it so", "name the principals that are to come in")
		}
	}
	l.index, l.s = -1, nil
}
