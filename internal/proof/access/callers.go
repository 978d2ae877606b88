package access

import (
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
	// varies are the keys whose values are not the same for all that it stands
	// for.
	varies []string
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

// callersOf makes a caller for each kind that the policies tell apart.
func (d *diff) callersOf() (*callers, error) {
	n, err := d.callerNames()
	if err != nil {
		return nil, err
	}
	all := &callers{
		anonymous: d.caller("anonymous", iampolicy.Caller{Kind: iampolicy.Anonymous}),
		service:   d.caller("any service", iampolicy.Caller{Kind: iampolicy.Service, ARN: "xshare.amazonaws.com"}).varying("aws:principalservicename"),
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
	all.outside, err = d.account(n, unused(n.accounts), "*")
	return all, err
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
		if iampolicy.CutARN(arn).Account == id {
			arns[arn] = true
		}
	}
	for _, session := range sortedKeys(n.sessions) {
		parts := iampolicy.CutARN(session)
		if parts.Account != id {
			continue
		}
		name := strings.Split(parts.Resource, "/")[1]
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
	if label != id {
		for _, c := range a.all() {
			c.varying("aws:principalarn", "aws:principalaccount")
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
	var texts, ids []string // as labels have them, and alike in all accounts
	add := func(text, id string, p []token) {
		texts, ids, patterns = append(texts, text), append(ids, id), append(patterns, p)
	}
	for _, arn := range arns {
		if strings.Contains(arn, ":"+kind) {
			add(arn, arn, exactly(arn))
		}
	}
	for _, text := range sortedKeys(n.patterns) {
		if name, ok := strings.CutPrefix(text, "user "); !ok {
			add(text, text, n.patterns[text])
		} else if kind == "user/" { // under any path
			add(prefix+"user/"+name, text, slices.Concat(exactly(prefix+"user/"), n.patterns[text]))
			add(prefix+"user/*/"+name, text+" under a path", slices.Concat(exactly(prefix+"user/"), []token{{many: true}, {char: '/'}}, n.patterns[text]))
		}
	}
	if len(n.patterns) == 0 {
		name := prefix + kind + "x"
		for slices.Contains(texts, name) {
			name += "x"
		}
		a.rest = append(a.rest, d.byName(labels+kind+"*", kind, name).varying("aws:principalarn", "aws:username"))
		for _, arn := range texts {
			a.named = append(a.named, d.byName(arn, kind, arn))
		}
		return nil
	}
	// A path with a colon, which may pass for an ARN's next part, is left out.
	domain := append(exactly(prefix+kind), token{many: true, short: true}, token{one: true, short: true, end: true})
	cells, err := cellsOf([][]token{domain}, patterns, prefix+kind)
	if err != nil {
		return err
	}
	for _, c := range cells {
		var in, within []string
		exact := false
		for i, text := range texts {
			if c.in[1+i] {
				within = append(within, ids[i])
				exact = exact || text == c.text
				if rest, ok := strings.CutPrefix(text, prefix); ok {
					text = labels + rest
				} else if a := iampolicy.CutARN(text); hasWildcard(a.Account) {
					text = labels + a.Resource
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
			a.rest = append(a.rest, d.byName(labels+kind+"*", kind, c.text).varying("aws:principalarn", "aws:username"))
			continue
		}
		one := d.byName(label, kind, c.text)
		if one.within = within; !exact {
			one.isFamily = true
			one.varying("aws:principalarn", "aws:username")
		}
		a.named = append(a.named, one)
	}
	return nil
}

// varying notes keys whose values differ among those that a caller stands for.
func (c *caller) varying(keys ...string) *caller {
	c.varies = append(c.varies, keys...)
	return c
}

// byName is a session of a role, or a user.
func (d *diff) byName(label, kind, arn string) *caller {
	account := iampolicy.CutARN(arn).Account
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	if kind == "user/" {
		c := d.caller(label, iampolicy.Caller{Kind: iampolicy.User, ARN: arn, Account: account, UniqueID: "AIDAXSHAREOTHER000000"})
		c.context["aws:username"] = []string{name}
		return c
	}
	return d.caller(label, iampolicy.Caller{
		Kind: iampolicy.Session, Account: account, RoleARN: arn, UniqueID: otherID,
		ARN: "arn:" + iampolicy.CutARN(arn).Partition + ":sts::" + account + ":assumed-role/" + name + "/xshare-any-session",
	})
}

func (d *diff) caller(label string, who iampolicy.Caller) *caller {
	c := &caller{label: label, iam: who, same: who.Account == d.owner, root: ":iam::" + who.Account + ":root"}
	c.context = iampolicy.DefaultContext(d.request(who, nil), time.Time{})
	for _, key := range slices.Concat(always, free) {
		delete(c.context, key)
	}
	if who.Account != "" { // its unique id is made up, and so may its account be
		delete(c.context, "aws:userid")
	}
	return c
}

// always are keys that every request has, and whose values are free; free are
// others whose values are, of those whom a caller stands for.
var (
	always = []string{"aws:SecureTransport", "aws:CurrentTime", "aws:EpochTime", "aws:ViaAWSService"}
	free   = []string{"aws:TokenIssueTime", "aws:PrincipalServiceNamesList"}
)

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
