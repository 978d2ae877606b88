package simulate

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/xshare/xshare/internal/iampolicy"
)

// caseFields are the fields of a case.
var caseFields = []string{
	"id", "title", "principal", "action", "resource", "principalUniqueId", "principalRoleArn", "resourceAccount",
	"identityPolicies", "resourcePolicy", "boundary", "scps", "rcps", "sessionPolicy", "endpointPolicies",
	"context", "exactContext", "s3BlockPublicAccess", "steps",
}

// MaxSteps is how many steps a case may have.
const MaxSteps = 100

// The most that a case may say in one of its texts, such as the resource, and
// of one condition key. No request to AWS has as much, and matching costs as
// much as both texts are long.
const (
	maxText   = 2048 // bytes
	maxValue  = 8192 // bytes
	maxValues = 250
)

// testCase is a case, or a step, before its fields are looked at.
type testCase struct {
	fields  map[string]field // without context, id of a case, and steps
	context caseContext
	removed []string // of a step: what is null, so not inherited
}

// ofPrincipal and ofResource are condition keys that describe one: what AWS
// sends follows from it, so another's are not inherited.
var (
	ofPrincipal = []string{
		"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principalisawsservice", "aws:principalservicename",
		"aws:principalservicenameslist", "aws:username", "aws:userid", "aws:tokenissuetime", "kms:calleraccount",
	}
	ofResource = []string{"aws:resourceaccount", "s3:resourceaccount", "aws:requestedregion"}
)

// with is the case of a step: what it has wins, and it inherits the rest. What
// only describes a principal or a resource is not inherited by another.
func (c testCase) with(step testCase) testCase {
	out := testCase{fields: maps.Clone(c.fields), context: c.context}
	for _, name := range step.removed {
		delete(out.fields, name)
	}
	if p, ok := step.fields["principal"]; ok && p.value() != c.fields["principal"].value() {
		delete(out.fields, "principalUniqueId")
		delete(out.fields, "principalRoleArn")
		out.context = out.context.without(ofPrincipal)
	}
	res, ok := step.fields["resource"]
	namesAccount := ok && iampolicy.IsAccountID(iampolicy.CutARN(res.value()).Account)
	if namesAccount {
		delete(out.fields, "resourceAccount")
	}
	if _, ok := step.fields["resourceAccount"]; ok || namesAccount {
		out.context = out.context.without(ofResource)
	}
	maps.Copy(out.fields, step.fields)
	if slices.Contains(step.removed, "context") {
		out.context = nil
	}
	out.context = out.context.with(step.context)
	return out
}

// isCompletedBy reports whether a step is the case's own request, or that with
// more known of it: condition keys that the case does not give.
func (c testCase) isCompletedBy(step testCase, isGiven func(key string) bool) bool {
	for name, f := range step.fields {
		if name != "title" && name != "id" && !bytes.Equal(f.text, c.fields[name].text) {
			return false
		}
	}
	for _, name := range step.removed {
		if _, has := c.fields[name]; has || name == "context" && len(c.context) > 0 {
			return false
		}
	}
	for key := range step.context {
		if isGiven(key) {
			return false
		}
	}
	return true
}

// ownPolicyOnly takes an inherited resourcePolicy away that is another
// resource's, and returns whose. Of is the resource that the case's policy is
// of: its own, or else the first step's that inherits it.
func (c testCase) ownPolicyOnly(step testCase, of *string) (notOf string) {
	_, inherits := c.fields["resourcePolicy"]
	if _, own := step.fields["resourcePolicy"]; own || !inherits {
		return ""
	}
	resource := c.fields["resource"].value()
	if *of == "" {
		*of = resource
	}
	if withPolicy(resource) == withPolicy(*of) {
		return ""
	}
	delete(c.fields, "resourcePolicy")
	return withPolicy(*of)
}

// withPolicy is the resource whose policy bears on a resource: an object's is
// its bucket's.
func withPolicy(resource string) string {
	if iampolicy.CutARN(resource).Service == "s3" {
		bucket, _, _ := strings.Cut(resource, "/")
		return bucket
	}
	return resource
}

// value is a string's value, empty for all else.
func (f field) value() string {
	if len(f.text) == 0 || f.kind() != aString {
		return ""
	}
	return f.unquote()
}

// read takes the line apart. It sets id as soon as it is known, so that an
// invalid case can be told by it.
func (r *caseReader) read(id *json.RawMessage) (base testCase, steps []testCase, err error) {
	whole, err := r.whole()
	if err != nil {
		*id = leadingID(whole.text)
		return base, nil, err
	}
	list, err := r.members(whole)
	if i := slices.IndexFunc(list, func(m field) bool { return m.name == "id" }); i >= 0 {
		*id = asID(list[i])
	}
	if err != nil {
		return base, nil, err
	}
	if base, err = r.gather(list, false); err != nil {
		return base, nil, err
	}
	if f, ok := base.fields["steps"]; ok {
		steps, err = r.steps(f)
	}
	return base, steps, err
}

func (r *caseReader) steps(f field) ([]testCase, error) {
	if f.kind() != aList {
		return nil, r.errorf(f.at, "steps must be a list of partial cases, not %s", f.kind())
	}
	items := f.items()
	if len(items) > MaxSteps {
		return nil, r.errorf(f.at, "there are %d steps, and a case may have %d: write several cases", len(items), MaxSteps)
	}
	var steps []testCase
	for _, item := range items {
		item.name = "a step"
		list, err := r.members(item)
		if err != nil {
			return nil, err
		}
		step, err := r.gather(list, true)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// gather sorts fields. null is the same as no field at all; in a step it takes
// away what the step would inherit.
func (r *caseReader) gather(list []field, isStep bool) (c testCase, err error) {
	c.fields = make(map[string]field, len(list))
	for _, m := range list {
		switch {
		case !slices.Contains(caseFields, m.name):
			return c, r.errorf(m.nameAt, "there is no field %q%s", m.name, suggestField(m.name))
		case isStep && m.name == "steps":
			return c, r.errorf(m.nameAt, "a step has no steps of its own: put them in one list")
		case m.kind() == aNull:
			c.removed = append(c.removed, m.name)
		case m.name == "id" && asID(m) == nil:
			return c, r.errorf(m.at, "id must be a string, not %s", m.kind())
		case m.name == "context":
			if c.context, err = r.context(m); err != nil {
				return c, err
			}
		default:
			c.fields[m.name] = m
		}
	}
	return c, nil
}

func suggestField(name string) string {
	best := ""
	for _, f := range caseFields {
		if strings.EqualFold(f, name) || iampolicy.Mistyped(strings.ToLower(f), strings.ToLower(name)) && best == "" {
			best = f
		}
	}
	if best == "" {
		return ": there are " + strings.Join(caseFields, ", ")
	}
	return `: did you mean "` + best + `"?`
}

// text reads a string; empty where the case does not have the field.
func (r *caseReader) text(c testCase, name string) (string, error) {
	f, ok := c.fields[name]
	if !ok {
		return "", nil
	}
	s, err := r.string(f)
	if err == nil && len(s) > maxText && name != "title" {
		err = r.errorf(f.at, "%s has %d bytes, and may have %d", name, len(s), maxText)
	}
	if err == nil && s == "" && name != "title" {
		err = r.errorf(f.at, "%s is empty: give a value, or leave the field out", name)
	}
	return s, err
}

func (r *caseReader) string(f field) (string, error) {
	if f.kind() != aString {
		return "", r.errorf(f.at, "%s must be a string, not %s", f.name, f.kind())
	}
	s := f.unquote()
	if strings.ContainsRune(s, utf8.RuneError) && !bytes.ContainsRune(f.text, utf8.RuneError) &&
		!bytes.Contains(bytes.ToLower(f.text), []byte(`\ufffd`)) {
		// It becomes U+FFFD, so that two texts would mean one.
		return "", r.errorf(f.at, "%s has half a surrogate pair", f.name)
	}
	return s, nil
}

func (r *caseReader) bool(c testCase, name string) (bool, error) {
	f, ok := c.fields[name]
	if ok && f.kind() != aBoolean {
		return false, r.errorf(f.at, "%s must be true or false, not %s", name, f.kind())
	}
	return ok && f.text[0] == 't', nil
}
