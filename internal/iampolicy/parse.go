package iampolicy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Parse reads a policy document strictly by IAM's grammar
// (IAM:reference_policies_grammar). Errors name the line and column, the
// element and what is wrong with it; all errors of a well-formed JSON text are
// reported at once. It never panics, whatever the text.
//
// Parse does not know what the policy is for. A statement without a principal
// is one of an identity policy and needs a Resource; one with a principal may
// lack it, as in a role's trust policy.
func Parse(text []byte) (*Document, error) {
	return parse(&parser{text: text})
}

// ParseResource is Parse for the policy of a bucket, a key or another resource:
// each statement must say whom it is about.
func ParseResource(text []byte) (*Document, error) {
	return parse(&parser{text: text, resource: true})
}

// ParseTrust is ParseResource for a role's trust policy, in which IAM looks at
// the principals closely: an ARN must have an account.
func ParseTrust(text []byte) (*Document, error) {
	return parse(&parser{text: text, resource: true, trust: true})
}

// ParseLive reads a document that AWS holds. It is as Parse, but what the
// grammar of this package does not know is kept in Statement.Unknown instead
// of refused: AWS took it, and may know more.
func ParseLive(text []byte) (*Document, error) {
	return parse(&parser{text: text, live: true})
}

func parse(p *parser) (*Document, error) {
	root, err := readJSON(p.text)
	if err != nil {
		return nil, err
	}
	p.sids = map[string]bool{}
	d := p.document(root)
	if len(p.errs) == 1 {
		return nil, p.errs[0]
	}
	if len(p.errs) > 1 {
		return nil, errors.Join(p.errs...)
	}
	return d, nil
}

type parser struct {
	text     []byte
	live     bool
	resource bool // every statement needs a principal
	trust    bool
	sids     map[string]bool
	errs     []error
}

// maxErrors is how many errors of one document are told. Finding an error's
// line takes time that grows with the text, so there is an end to it.
const maxErrors = 50

// fail notes an error of grammar; mend may be empty.
func (p *parser) fail(n node, mend, format string, args ...any) {
	p.failAs(CodeSyntax, n, mend, format, args...)
}

func (p *parser) failAs(code string, n node, mend, format string, args ...any) {
	if len(p.errs) == maxErrors {
		return
	}
	e := errorAt(p.text, n.start, format, args...)
	e.Code, e.Mend = code, mend
	p.errs = append(p.errs, e)
}

func (p *parser) document(root node) *Document {
	d := &Document{}
	if root.kind != object {
		p.fail(root, "", "a policy must be a JSON object, not %s", root.kind)
		return nil
	}
	statements := false
	for _, m := range root.members {
		switch m.name {
		case "Version":
			d.Version = p.string(m.value, "Version")
			if m.value.kind == text && d.Version != Version2012 && d.Version != Version2008 {
				p.fail(m.value, fmt.Sprintf("write %q", Version2012), "Version %q does not exist", d.Version)
			}
		case "Id":
			d.ID = p.string(m.value, "Id")
		case "Statement":
			statements = true
			p.statements(d, m.value)
		default:
			if !p.live {
				p.unknown(m, "a policy", "Version, Id and Statement")
			}
		}
	}
	if !statements {
		p.fail(root, "a policy needs at least one statement", "Statement is missing")
	}
	return d
}

func (p *parser) statements(d *Document, n node) {
	switch n.kind {
	case object:
		d.Statements = append(d.Statements, p.statement(n))
	case array:
		if len(n.items) == 0 {
			p.fail(n, "a policy needs at least one statement", "Statement is empty")
		}
		for _, item := range n.items {
			if item.kind != object {
				p.fail(item, "", "a statement must be an object, not %s", item.kind)
				continue
			}
			d.Statements = append(d.Statements, p.statement(item))
		}
	default:
		p.fail(n, "", "Statement must be a statement or a list of statements, not %s", n.kind)
	}
}

func (p *parser) statement(n node) Statement {
	s := Statement{Raw: json.RawMessage(bytes.Clone(p.text[n.start:n.end]))}
	has := map[string]bool{}
	var sid node
	for _, m := range n.members {
		has[m.name] = true
		switch m.name {
		case "Sid":
			s.Sid = p.string(m.value, "Sid")
			sid = m.value
		case "Effect":
			switch effect := Effect(p.string(m.value, "Effect")); {
			case effect == Allow:
				s.Effect = Allow // one text for all statements, which Evaluate reads faster
			case effect == Deny:
				s.Effect = Deny
			case m.value.kind == text:
				p.fail(m.value, `it must be "Allow" or "Deny", in this spelling`, "Effect is %q", effect)
			}
		case "Principal":
			s.Principal = p.principals(&s, m)
		case "NotPrincipal":
			s.NotPrincipal = p.principals(&s, m)
		case "Action":
			s.Action = p.list(m, action)
		case "NotAction":
			s.NotAction = p.list(m, action)
		case "Resource":
			s.Resource = p.list(m, resource)
		case "NotResource":
			s.NotResource = p.list(m, resource)
		case "Condition":
			s.Condition = p.conditions(&s, m.value)
		default:
			if p.live {
				p.keep(&s, m.name, m.value)
				continue
			}
			p.unknown(m, "a statement", "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource and Condition")
		}
	}
	if !has["Effect"] {
		p.fail(n, `add "Effect": "Allow" or "Deny"`, "Effect is missing")
	}
	for _, pair := range [][2]string{{"Action", "NotAction"}, {"Resource", "NotResource"}, {"Principal", "NotPrincipal"}} {
		if has[pair[0]] && has[pair[1]] {
			p.fail(n, "keep one", "%s and %s exclude each other", pair[0], pair[1])
		}
	}
	if !has["Action"] && !has["NotAction"] {
		p.fail(n, "a statement needs Action or NotAction", "Action is missing")
	}
	named := has["Principal"] || has["NotPrincipal"]
	switch {
	case named:
	case p.trust:
		p.failAs(CodeNoPrincipal, n, `say who is to use the role, such as "Principal": {"Service": "ec2.amazonaws.com"}`, "Principal is missing")
	case p.resource:
		p.failAs(CodeNoPrincipal, n, `say whom the statement is about, such as "Principal": {"AWS": "111111111111"}`, "Principal is missing")
	case !has["Resource"] && !has["NotResource"]:
		p.fail(n, "a statement without Principal needs Resource or NotResource", "Resource is missing")
	}
	if has["Sid"] {
		p.sid(sid, s.Sid, named && (has["Resource"] || has["NotResource"]))
	}
	return s
}

// sid checks a statement's id (IAM:reference_policies_elements_sid). IAM's own
// policies allow letters and digits only; S3 and KMS take any text, and the
// default key policy has spaces in its Sid.
func (p *parser) sid(n node, sid string, free bool) {
	if n.kind != text || sid == "" || p.live {
		return
	}
	if p.sids[sid] {
		p.failAs(CodeDuplicateSid, n, "Sids must be unique in a policy", "Sid %q stands twice", sid)
	}
	p.sids[sid] = true
	if free {
		return
	}
	for _, c := range sid {
		if !isAlnum(c) {
			p.fail(n, "only letters A-Z, a-z and digits are allowed", "Sid %q holds %q", sid, c)
			return
		}
	}
}

func isAlnum(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// principals reads a Principal or NotPrincipal element
// (IAM:reference_policies_elements_principal).
func (p *parser) principals(s *Statement, m member) *Principals {
	out := &Principals{}
	n := m.value
	switch {
	case n.kind == text && n.str == "*":
		out.Any = true
		return out
	case n.kind == text:
		p.fail(n, fmt.Sprintf(`as a string only "*" is allowed; write {"AWS": %q}`, n.str), "%s is %q", m.name, n.str)
		return out
	case n.kind != object:
		p.fail(n, "", `%s must be "*" or an object such as {"AWS": "111111111111"}, not %s`, m.name, n.kind)
		return out
	case len(n.members) == 0:
		p.fail(n, "name at least one principal", "%s is empty", m.name)
	}
	for _, t := range n.members {
		switch t.name {
		case "AWS":
			for _, v := range p.list(t, p.awsPrincipal) {
				if v == "*" {
					out.Any = true
				} else {
					out.AWS = append(out.AWS, v)
				}
			}
		case "Service":
			out.Service = p.list(t, anyText)
		case "Federated":
			out.Federated = p.list(t, anyText)
		case "CanonicalUser":
			out.CanonicalUser = p.list(t, anyText)
		default:
			if p.live {
				p.keep(s, m.name+"."+t.name, t.value)
				continue
			}
			p.unknown(t, m.name, "AWS, Service, Federated and CanonicalUser")
		}
	}
	return out
}

func (p *parser) conditions(s *Statement, n node) []Condition {
	if n.kind != object {
		p.fail(n, "", `Condition must be an object such as {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, not %s`, n.kind)
		return nil
	}
	var out []Condition
	seen := map[string]bool{}
	for _, op := range n.members {
		known := knownOperator(op.name)
		if !known && p.live {
			p.keep(s, "Condition."+op.name, op.value)
			continue
		}
		if !known {
			p.fail(node{start: op.start}, nearOperator(op.name), "condition operator %q does not exist", op.name)
		}
		if op.value.kind != object {
			p.fail(op.value, "", "%q must hold an object of condition keys, not %s", op.name, op.value.kind)
			continue
		}
		for _, key := range op.value.members {
			if key.name == "" {
				p.fail(node{start: key.start}, "", "a condition key has no name")
			}
			folded := strings.ToLower(op.name + "\x00" + key.name)
			if seen[folded] {
				p.fail(node{start: key.start}, "keep one", "%q with condition key %q stands twice, in another case", op.name, key.name)
			}
			seen[folded] = true
			out = append(out, Condition{Operator: op.name, Key: key.name, Values: p.values(key)})
		}
	}
	sortConditions(out)
	return out
}

func sortConditions(cs []Condition) {
	slices.SortStableFunc(cs, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), cmp.Compare(a.Key, b.Key))
	})
}

func (p *parser) values(m member) []string {
	items := m.value.items
	if m.value.kind != array {
		items = []node{m.value}
	}
	out := []string{}
	for _, v := range items {
		switch v.kind {
		case text, number, boolean:
			out = append(out, v.str)
		default:
			p.fail(v, "", "a value of condition key %q must be a string, a number or a boolean, not %s", m.name, v.kind)
		}
	}
	return out
}

// wrong is what is wrong with one of a list's strings.
type wrong struct{ code, what, mend string }

// list reads a string or a list of strings; check says what is wrong with one,
// nil: nothing.
func (p *parser) list(m member, check func(string) *wrong) []string {
	items := m.value.items
	switch m.value.kind {
	case text:
		items = []node{m.value}
	case array:
		if len(items) == 0 {
			p.fail(m.value, "name at least one", "%s is an empty list", m.name)
		}
	default:
		p.fail(m.value, "", "%s must be a string or a list of strings, not %s", m.name, m.value.kind)
	}
	out := make([]string, 0, len(items))
	for _, v := range items {
		if v.kind != text {
			p.fail(v, "", "%s must hold strings, not %s", m.name, v.kind)
			continue
		}
		if w := check(v.str); w != nil && !p.live {
			p.failAs(w.code, v, w.mend, "%s %q %s", m.name, v.str, w.what)
		}
		out = append(out, v.str)
	}
	return out
}

func (p *parser) string(n node, name string) string {
	if n.kind != text {
		p.fail(n, "", "%s must be a string, not %s", name, n.kind)
	}
	return n.str
}

// keep stores a part that is not understood.
func (p *parser) keep(s *Statement, name string, n node) {
	var b bytes.Buffer
	_ = json.Compact(&b, p.text[n.start:n.end]) // it was just read as JSON
	s.Unknown = append(s.Unknown, Element{Name: name, Text: b.String()})
}

func (p *parser) unknown(m member, where, known string) {
	names := strings.FieldsFunc(strings.Replace(known, " and ", ", ", 1), func(c rune) bool { return !isAlnum(c) })
	switch near := Nearest(m.name, names); {
	case near == "":
		p.fail(node{start: m.start}, "there are "+known, "%s has no element %q", where, m.name)
	case strings.EqualFold(near, m.name):
		p.fail(node{start: m.start}, fmt.Sprintf("write %q", near), "%s has no element %q", where, m.name)
	default:
		p.fail(node{start: m.start}, fmt.Sprintf("did you mean %q?", near), "%s has no element %q", where, m.name)
	}
}

// nearOperator asks for the condition operator that may be meant.
func nearOperator(wrong string) string {
	base := strings.ToLower(wrong[strings.LastIndex(wrong, ":")+1:])
	if strings.TrimSuffix(base, "ifexists") == "null" {
		return `Null takes neither a set operator nor IfExists: write "Null"`
	}
	if near := Nearest(wrong, operatorNames); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

var operatorNames = slices.Sorted(maps.Keys(usual))

// action checks an entry of Action (IAM:reference_policies_elements_action).
func action(s string) *wrong {
	if s == "*" {
		return nil
	}
	service, name, ok := strings.Cut(s, ":")
	if !ok || service == "" || name == "" || strings.Contains(name, ":") {
		return &wrong{CodeSyntax, "is no action", `write service:Name, for example "s3:GetObject"`}
	}
	for _, c := range s {
		if !isAlnum(c) && !strings.ContainsRune(":-_*?", c) {
			return &wrong{CodeSyntax, "is no action", "only letters, digits, -, * and ? are allowed"}
		}
	}
	if wildService(s) {
		return &wrong{CodeSyntax, "has a wildcard in the service's name, which AWS does not take", `write "*", or an entry for each service`}
	}
	return nil
}

// resource checks an entry of Resource (IAM:reference_policies_elements_resource).
func resource(s string) *wrong {
	if s == "*" || strings.HasPrefix(s, "arn:") {
		return nil
	}
	return &wrong{CodeSyntax, "is no ARN", `write "*" or an ARN such as "arn:aws:s3:::bucket/*"`}
}

// awsPrincipal checks an entry of AWS in a Principal. That an ARN of IAM or STS
// has an account is looked at in trust policies only: CloudFront has ARNs of its
// own in the policies of buckets.
func (p *parser) awsPrincipal(s string) *wrong {
	switch {
	case s == "*", IsAccountID(s), isUniqueID(s):
		return nil
	case HasWildcard(s):
		return &wrong{CodeWildcardPrincipal, "has a wildcard", `a principal is written in full, or "*" with a condition on aws:PrincipalArn`}
	case !strings.HasPrefix(s, "arn:") || strings.Count(s, ":") < 5:
		return &wrong{CodeRefusedPrincipal, "is no principal", "write an account id of 12 digits or an ARN"}
	case p.trust && !IsAccountID(CutARN(s).Account):
		return &wrong{CodeRefusedPrincipal, "is an ARN without an account", "write the account's id of 12 digits into it"}
	}
	return nil
}

func anyText(s string) *wrong {
	if s == "" {
		return &wrong{CodeSyntax, "is empty", "remove it"}
	}
	return nil
}

// IsAccountID reports whether a text is an account's id: 12 digits.
func IsAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isUniqueID tells ids such as AROAEXAMPLE (IAM:reference_identifiers#identifiers-unique-ids).
func isUniqueID(s string) bool {
	if len(s) < 16 || s[0] != 'A' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
