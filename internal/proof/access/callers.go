package access

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xshare/xshare/internal/iampolicy"
)

// caller stands for all callers that the policies do not tell apart.
type caller struct {
	label   string // see plan.AccessEntry
	iam     iampolicy.Caller
	context map[string][]string // the keys that follow from who it is; see fixed
	same    bool                // it is of the resource's account
	root    string              // what the ARN of its account's root ends in
	// Of a role or user: the policies' patterns that match it, and whether it
	// stands for more than the one of its name.
	within   []string
	isFamily bool
}

// callers are callers for all that the policies tell apart.
type callers struct {
	accounts []*account
	outside  *account // an account that no policy is about
	// Those of no account: anonymous, a service that no policy names, and the
	// named services.
	anonymous, service *caller
	services           []*caller
}

// account are the callers of one account.
type account struct {
	label, roles, users string    // of all its callers, its roles, its users
	rest                []*caller // one role, one user and the root user, none of which is named
	named               []*caller // roles and users by name, or by patterns of names
	sessions            map[string][]*caller
}

// all lists the callers of an account.
func (a *account) all() []*caller {
	list := slices.Concat(a.rest, a.named)
	for _, name := range sortedKeys(a.sessions) {
		list = append(list, a.sessions[name]...)
	}
	return list
}

// named is what policies call callers by.
type callerNames struct {
	accounts        map[string]bool
	accountPatterns []string
	arns            map[string]bool // of roles and users
	sessions        map[string]bool
	services        map[string]bool
	patterns        map[string][]token // of the ARNs of roles and users, by their text
}

// names gathers what all rules call callers by.
func (d *diff) callerNames() (*callerNames, error) {
	n := &callerNames{
		accounts: map[string]bool{d.owner: true}, arns: map[string]bool{}, sessions: map[string]bool{},
		services: map[string]bool{}, patterns: map[string][]token{},
	}
	for _, r := range d.rules {
		for _, statements := range r.named {
			for _, s := range statements {
				for _, p := range []*iampolicy.Principals{s.Principal, s.NotPrincipal} {
					if p != nil {
						n.principals(p)
					}
				}
			}
		}
		for _, c := range r.s.Condition {
			if err := n.condition(r, c); err != nil {
				return nil, err
			}
		}
	}
	for arn := range n.arns {
		n.accounts[cutARN(arn).account] = true
	}
	for arn := range n.sessions {
		n.accounts[cutARN(arn).account] = true
	}
	return n, nil
}

func (n *callerNames) principals(p *iampolicy.Principals) {
	for _, entry := range p.AWS {
		switch kind, account := callerKind(entry); kind {
		case iampolicy.Root:
			n.accounts[account] = true
		case iampolicy.Role, iampolicy.User:
			n.arns[entry] = true
		case iampolicy.Session:
			n.sessions[entry] = true
		}
	}
	for _, s := range p.Service {
		n.services[s] = true
	}
}

// callerKind is what sort of caller an entry of Principal names; none where it
// is a unique id, everybody, or nothing that makes requests as the evaluator
// knows them.
func callerKind(entry string) (kind iampolicy.PrincipalKind, account string) {
	if isAccountID(entry) {
		return iampolicy.Root, entry
	}
	a := cutARN(entry)
	last := a.resource[strings.LastIndexByte(a.resource, '/')+1:]
	switch {
	case !isAccountID(a.account) || last == "" || hasWildcard(entry):
		return "", ""
	case a.service == "iam" && a.resource == "root":
		return iampolicy.Root, a.account
	case a.service == "iam" && strings.HasPrefix(a.resource, "role/"):
		return iampolicy.Role, a.account
	case a.service == "iam" && strings.HasPrefix(a.resource, "user/"):
		return iampolicy.User, a.account
	case a.service == "sts" && strings.HasPrefix(a.resource, "assumed-role/") && strings.Count(a.resource, "/") == 2:
		return iampolicy.Session, a.account
	}
	return "", ""
}

// condition notes what a condition on who calls tells apart.
func (n *callerNames) condition(r *rule, c iampolicy.Condition) error {
	key := strings.ToLower(c.Key)
	if key != "aws:principalarn" && key != "aws:principalaccount" && key != "aws:username" {
		return nil
	}
	for _, value := range c.Values {
		pattern := valueTokens(c.Operator, value, r.variables)
		if pattern == nil {
			continue
		}
		switch text := textOf(pattern); {
		case r.variables && strings.Contains(text, "${"):
			return fmt.Errorf("%w: the policy variable in %s", errTooRich, value)
		case key == "aws:principalaccount" && isAccountID(text):
			n.accounts[text] = true
		case key == "aws:principalaccount":
			n.accountPatterns = append(n.accountPatterns, text)
		case key == "aws:username":
			n.patterns["user "+text] = pattern
		default:
			n.patterns[text] = pattern
			if account := cutARN(text).account; isAccountID(account) {
				n.accounts[account] = true
			} else if account != "" {
				n.accountPatterns = append(n.accountPatterns, account)
			}
		}
	}
	return nil
}

// callersOf makes a caller for each kind that the policies tell apart.
func (d *diff) callersOf() (*callers, error) {
	n, err := d.callerNames()
	if err != nil {
		return nil, err
	}
	all := &callers{
		anonymous: d.caller("anonymous", iampolicy.Caller{Kind: iampolicy.Anonymous}),
		service:   d.caller("any service", iampolicy.Caller{Kind: iampolicy.Service, ARN: "xshare.amazonaws.com"}),
	}
	for _, name := range sortedKeys(n.services) {
		all.services = append(all.services, d.caller(name, iampolicy.Caller{Kind: iampolicy.Service, ARN: name}))
	}
	for _, id := range sortedKeys(n.accounts) {
		a, err := d.account(n, id, id)
		if err != nil {
			return nil, err
		}
		all.accounts = append(all.accounts, a)
	}
	if len(n.accountPatterns) == 0 {
		all.outside, err = d.account(n, unused(n.accounts), "*")
		return all, err
	}
	literals := make([][]token, 0, len(n.accounts))
	for id := range n.accounts {
		literals = append(literals, exactly(id))
	}
	patterns := slices.Compact(slices.Sorted(slices.Values(n.accountPatterns)))
	for _, p := range patterns {
		literals = append(literals, tokens(p, false))
	}
	twelve := slices.Repeat([]token{{one: true}}, 12)
	cells, err := cellsOf([][]token{twelve}, literals, "", digitRunes)
	if err != nil {
		return nil, err
	}
	for _, c := range cells {
		if !isAccountID(c.text) || n.accounts[c.text] {
			continue
		}
		var in []string
		for i, p := range patterns {
			if c.in[1+len(n.accounts)+i] && p != "*" {
				in = append(in, p)
			}
		}
		a, err := d.account(n, c.text, cmp.Or(strings.Join(in, " and "), "*"))
		if err != nil {
			return nil, err
		}
		if in == nil {
			all.outside = a
		} else {
			all.accounts = append(all.accounts, a)
		}
	}
	if all.outside == nil {
		return nil, errTooRich // no account is left that no policy is about
	}
	return all, nil
}

// unused is the id of an account that is not among some.
func unused(accounts map[string]bool) string {
	for id := 999_999_999_999; ; id-- {
		if text := strconv.Itoa(id); !accounts[text] {
			return text
		}
	}
}

// account makes the callers of one account; labels call it by label.
func (d *diff) account(n *callerNames, id, label string) (*account, error) {
	iam := "arn:" + d.partition + ":iam::"
	a := &account{
		label: iam + label + ":root", roles: iam + label + ":role/*", users: iam + label + ":user/*",
		sessions: map[string][]*caller{},
	}
	if label == "*" {
		a.label = "any account"
	}
	bySession := map[string][]string{}
	arns := map[string]bool{}
	for arn := range n.arns {
		if cutARN(arn).account == id {
			arns[arn] = true
		}
	}
	for _, session := range sortedKeys(n.sessions) {
		parts := cutARN(session)
		if parts.account != id {
			continue
		}
		name := strings.Split(parts.resource, "/")[1]
		role := ""
		for _, arn := range sortedKeys(arns) {
			if strings.Contains(arn, ":role/") && strings.HasSuffix(arn, "/"+name) {
				role = arn
			}
		}
		if role == "" {
			role = iam + id + ":role/" + name
			arns[role] = true
		}
		bySession[role] = append(bySession[role], session)
	}
	for _, kind := range []string{"role/", "user/"} {
		if err := d.namedCallers(a, n, kind, iam+id+":", iam+label+":", sortedKeys(arns)); err != nil {
			return nil, err
		}
	}
	if !d.trust { // a root user cannot assume roles
		a.rest = append(a.rest, d.caller(a.label+" (the root user)", iampolicy.Caller{Kind: iampolicy.Root, ARN: iam + id + ":root", Account: id}))
	}
	for _, c := range a.named {
		for _, session := range bySession[c.iam.RoleARN] {
			a.sessions[c.label] = append(a.sessions[c.label], d.caller(session, iampolicy.Caller{
				Kind: iampolicy.Session, ARN: session, Account: id, RoleARN: c.iam.RoleARN, UniqueID: otherID,
			}))
		}
	}
	return a, nil
}

// otherID is the unique id of callers of whom nothing is known: no policy has
// it. Ids that policies name are of those who are gone, and stand for nobody.
const otherID = "AROAXSHAREOTHER000000"

// namedCallers makes the roles, or the users, of an account: each that is named
// and each cell of the patterns for their ARNs, and one that none of them is
// about.
func (d *diff) namedCallers(a *account, n *callerNames, kind, prefix, labels string, arns []string) error {
	var patterns [][]token
	var texts []string
	add := func(text string, p []token) {
		texts, patterns = append(texts, text), append(patterns, p)
	}
	for _, arn := range arns {
		if strings.Contains(arn, ":"+kind) {
			add(arn, exactly(arn))
		}
	}
	for _, text := range sortedKeys(n.patterns) {
		if name, ok := strings.CutPrefix(text, "user "); !ok {
			add(text, n.patterns[text])
		} else if kind == "user/" {
			add(prefix+"user/"+name, slices.Concat(exactly(prefix+"user/"), n.patterns[text]))
		}
	}
	if len(n.patterns) == 0 {
		name := prefix + kind + "x"
		for slices.Contains(texts, name) {
			name += "x"
		}
		a.rest = append(a.rest, d.byName(labels+kind+"*", kind, name))
		for _, arn := range texts {
			a.named = append(a.named, d.byName(arn, kind, arn))
		}
		return nil
	}
	domain := append(exactly(prefix+kind), token{many: true}, token{one: true, end: true})
	cells, err := cellsOf([][]token{domain}, patterns, prefix+kind, anyRunes)
	if err != nil {
		return err
	}
	for _, c := range cells {
		var in, within []string
		exact := false
		for i, text := range texts {
			if c.in[1+i] {
				within = append(within, text)
				exact = exact || text == c.text
				if a := cutARN(text); hasWildcard(a.account) {
					text = labels + a.resource
				}
				if !slices.Contains([]string{"*", labels + "*", labels + kind + "*"}, text) {
					in = append(in, text)
				}
			}
		}
		label := strings.Join(in, " and ")
		switch {
		case exact:
			label = c.text
		case len(in) == 0:
			a.rest = append(a.rest, d.byName(labels+kind+"*", kind, c.text))
			continue
		}
		one := d.byName(label, kind, c.text)
		one.within, one.isFamily = within, !exact
		a.named = append(a.named, one)
	}
	return nil
}

// byName is a session of a role, or a user.
func (d *diff) byName(label, kind, arn string) *caller {
	account := cutARN(arn).account
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	if kind == "user/" {
		c := d.caller(label, iampolicy.Caller{Kind: iampolicy.User, ARN: arn, Account: account, UniqueID: "AIDAXSHAREOTHER000000"})
		c.context["aws:username"] = []string{name}
		return c
	}
	return d.caller(label, iampolicy.Caller{
		Kind: iampolicy.Session, Account: account, RoleARN: arn, UniqueID: otherID,
		ARN: "arn:" + cutARN(arn).partition + ":sts::" + account + ":assumed-role/" + name + "/xshare-any-session",
	})
}

func (d *diff) caller(label string, who iampolicy.Caller) *caller {
	c := &caller{label: label, iam: who, same: who.Account == d.owner, root: ":iam::" + who.Account + ":root"}
	c.context = iampolicy.DefaultContext(d.request(who, nil), time.Time{})
	for _, key := range always {
		delete(c.context, key)
	}
	return c
}

// always are keys that every request has, and whose values are free.
var always = []string{"aws:SecureTransport", "aws:CurrentTime", "aws:EpochTime"}

// fixed is the value of a condition key that follows from who calls: known and
// without values, the caller never has it.
func (c *caller) fixed(key string) (values []string, known bool) {
	key = strings.ToLower(key)
	for name, values := range c.context {
		if strings.ToLower(name) == key {
			return values, true
		}
	}
	switch {
	case key == "aws:username" || key == "aws:principalservicename":
		return nil, true
	case c.iam.Account == "":
		return nil, strings.HasPrefix(key, "aws:principal") && !strings.HasPrefix(key, "aws:principalservicename") || key == "aws:userid"
	}
	return nil, false
}
