package sandbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xshare/xshare/internal/iampolicy"
)

func validation(format string, args ...any) *apiError {
	return fault(http.StatusBadRequest, "ValidationError", format, args...)
}

func malformed(format string, args ...any) *apiError {
	return fault(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

func noSuchEntity(format string, args ...any) *apiError {
	return fault(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func alreadyExists(format string, args ...any) *apiError {
	return fault(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

func limitExceeded(format string, args ...any) *apiError {
	return fault(http.StatusConflict, "LimitExceeded", format, args...)
}

func deleteConflict(message string) *apiError {
	return fault(http.StatusConflict, "DeleteConflict", "%s", message)
}

// constraint is AWS's sentence for a value that is not as the API's model has it.
func constraint(value, name, rule string) *apiError {
	return validation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, name, rule)
}

// required refuses calls that lack a parameter.
func required(p params, names ...string) error {
	var missing []string
	for _, n := range names {
		if !p.has(n) {
			missing = append(missing, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(n)))
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", missing[0])
	}
	return validation("%d validation errors detected: %s", len(missing), strings.Join(missing, "; "))
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

var (
	nameForm = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathForm = regexp.MustCompile(`^(/|/[\x21-\x7E]+/)$`)
	tagForm  = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
)

// The longest names (IAM:reference_iam-quotas).
const (
	maxPolicyName  = 128
	maxProfileName = 128
	maxPath        = 512
	maxDescription = 1000
	maxTags        = 50
)

// name gives a parameter that names something in IAM.
func (p params) name(parameter string, longest int) (string, error) {
	if err := required(p, parameter); err != nil {
		return "", err
	}
	v := p.get(parameter)
	switch {
	case v == "":
		return "", constraint(v, lowerFirst(parameter), "Member must have length greater than or equal to 1")
	case len(v) > longest:
		return "", constraint(v, lowerFirst(parameter), "Member must have length less than or equal to "+strconv.Itoa(longest))
	case !nameForm.MatchString(v):
		return "", validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", lowerFirst(parameter))
	}
	return v, nil
}

// path gives the Path parameter, "/" by default.
func (p params) path() (string, error) {
	if !p.has("Path") {
		return "/", nil
	}
	v := p.get("Path")
	switch {
	case len(v) > maxPath:
		return "", constraint(v, "path", "Member must have length less than or equal to "+strconv.Itoa(maxPath))
	case !pathForm.MatchString(v) || strings.Contains(v, "//"):
		return "", validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return v, nil
}

// description gives the Description parameter.
func (p params) description() (string, error) {
	v := p.get("Description")
	if utf8.RuneCountInString(v) > maxDescription {
		return "", constraint(v, "description", "Member must have length less than or equal to "+strconv.Itoa(maxDescription))
	}
	return v, nil
}

// maxSessionDuration gives a role's MaxSessionDuration in seconds.
func (p params) maxSessionDuration() (int, error) {
	if !p.has("MaxSessionDuration") {
		return 3600, nil
	}
	n, err := strconv.Atoi(p.get("MaxSessionDuration"))
	switch {
	case err != nil:
		return 0, fault(http.StatusBadRequest, "MalformedInput", "MaxSessionDuration: %q is not a number", p.get("MaxSessionDuration"))
	case n < 3600:
		return 0, constraint(strconv.Itoa(n), "maxSessionDuration", "Member must have value greater than or equal to 3600")
	case n > 43200:
		return 0, constraint(strconv.Itoa(n), "maxSessionDuration", "Member must have value less than or equal to 43200")
	}
	return n, nil
}

// tagParams are the parameters of a list of tags.
var tagParams = []string{"Tags.member.N.Key", "Tags.member.N.Value"}

// tags gives the Tags parameter, checked (IAM:id_tags, rules).
func (p params) tags() ([]tag, error) {
	keys := p.list("Tags.member", "Key")
	if len(keys) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	values := p.list("Tags.member", "Value")
	if len(keys) != len(values) {
		return nil, validation("each tag needs a Key and a Value")
	}
	var out []tag
	for i, k := range keys {
		switch v := values[i]; {
		case k == "" || utf8.RuneCountInString(k) > 128:
			return nil, constraint(k, fmt.Sprintf("tags.%d.member.key", i+1), "Member must have length between 1 and 128")
		case utf8.RuneCountInString(v) > 256:
			return nil, constraint(v, fmt.Sprintf("tags.%d.member.value", i+1), "Member must have length less than or equal to 256")
		case !tagForm.MatchString(k):
			return nil, constraint(k, fmt.Sprintf("tags.%d.member.key", i+1), `Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
		case !tagForm.MatchString(v):
			return nil, constraint(v, fmt.Sprintf("tags.%d.member.value", i+1), `Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return nil, fault(http.StatusBadRequest, "InvalidInput", "Added tag keys cannot start with 'aws:'. Such tags are reserved for system use.")
		}
		for _, t := range out {
			if strings.EqualFold(t.Key, k) {
				return nil, fault(http.StatusBadRequest, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
			}
		}
		out = append(out, tag{k, values[i]})
	}
	return out, nil
}

// withTags gives the tags with some added or changed. Keys are told apart
// without case.
func withTags(have, add []tag) ([]tag, error) {
	out := append([]tag(nil), have...)
next:
	for _, t := range add {
		for i := range out {
			if strings.EqualFold(out[i].Key, t.Key) {
				out[i] = t
				continue next
			}
		}
		out = append(out, t)
	}
	if len(out) > maxTags {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	return out, nil
}

// withoutTags gives the tags without those of some keys.
func withoutTags(have []tag, keys []string) []tag {
	var out []tag
next:
	for _, t := range have {
		for _, k := range keys {
			if strings.EqualFold(t.Key, k) {
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

// tagConditions are the condition keys of a call that sets tags.
func tagConditions(tags []tag) map[string][]string {
	if len(tags) == 0 {
		return nil
	}
	m := map[string][]string{}
	for _, t := range tags {
		m["aws:RequestTag/"+t.Key] = []string{t.Value}
		m["aws:TagKeys"] = append(m["aws:TagKeys"], t.Key)
	}
	return m
}

// policyText is what a policy document may consist of (CreatePolicy's model).
var policyText = regexp.MustCompile(`^[\x{09}\x{0A}\x{0D}\x{20}-\x{FF}]+$`)

func parsePolicy(text string) (*iampolicy.Document, error) {
	if !policyText.MatchString(text) {
		return nil, malformed("The policy is not in the valid JSON format: only tab, line feed, carriage return and the characters U+0020 to U+00FF are allowed.")
	}
	d, err := iampolicy.Parse([]byte(text))
	if err != nil {
		return nil, malformed("Syntax errors in policy: %v", err)
	}
	return d, nil
}

// identityDocument checks a policy that is attached to a role, or a session's.
func identityDocument(text string) error {
	d, err := parsePolicy(text)
	if err != nil {
		return err
	}
	for _, s := range d.Statements {
		if s.Principal != nil || s.NotPrincipal != nil {
			return malformed("Policy document should not specify a principal.")
		}
		if len(s.Resource) == 0 && len(s.NotResource) == 0 {
			return malformed("Policy statement must contain resources.")
		}
	}
	return nil
}

// maxTrust is the default size of a trust policy (IAM:reference_iam-quotas).
const maxTrust = 2048

// trustDocument checks a role's trust policy and binds its principals.
func (c *call) trustDocument(text string) (boundPolicy, error) {
	d, err := parsePolicy(text)
	if err != nil {
		return boundPolicy{}, err
	}
	for _, s := range d.Statements {
		switch {
		case len(s.Resource) > 0 || len(s.NotResource) > 0:
			return boundPolicy{}, malformed("Has prohibited field Resource")
		case s.Principal == nil && s.NotPrincipal == nil:
			return boundPolicy{}, malformed("Missing required field Principal")
		case s.NotPrincipal != nil: // IAM:reference_policies_elements_notprincipal
			return boundPolicy{}, malformed("Has prohibited field NotPrincipal")
		}
		for _, a := range append(append([]string(nil), s.Action...), s.NotAction...) {
			if a != "*" && !strings.HasPrefix(strings.ToLower(a), "sts:") {
				return boundPolicy{}, malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
	}
	if n := iampolicy.Size([]byte(text)); n > maxTrust {
		return boundPolicy{}, limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	b, err := c.server.bind(text, d, c.now)
	var bad *bindError
	if errors.As(err, &bad) {
		kind := "AWS"
		if !strings.HasPrefix(bad.principal, "arn:") && strings.Contains(bad.principal, ".") {
			kind = "SERVICE"
		}
		return boundPolicy{}, malformed(`Invalid principal in policy: "%s":"%s"`, kind, bad.principal)
	}
	return b, err
}

// pageParams are those of every list.
var pageParams = []string{"Marker", "MaxItems"}

// page cuts a list, sorted by key, as Marker and MaxItems say. A marker is the
// last key of the page before, so pages stay whole while the list changes.
func page[T any](p params, list []T, key func(T) string) (out []T, isTruncated bool, marker string, err error) {
	most := 100
	if p.has("MaxItems") {
		if most, err = strconv.Atoi(p.get("MaxItems")); err != nil {
			return nil, false, "", fault(http.StatusBadRequest, "MalformedInput", "MaxItems: %q is not a number", p.get("MaxItems"))
		}
		if most < 1 || most > 1000 {
			return nil, false, "", constraint(strconv.Itoa(most), "maxItems", "Member must have value between 1 and 1000")
		}
	}
	if p.has("Marker") {
		after, err := base64.URLEncoding.DecodeString(p.get("Marker"))
		if err != nil || len(after) == 0 {
			return nil, false, "", validation("Invalid Marker.")
		}
		for len(list) > 0 && key(list[0]) <= string(after) {
			list = list[1:]
		}
	}
	if len(list) <= most {
		return list, false, "", nil
	}
	return list[:most], true, base64.URLEncoding.EncodeToString([]byte(key(list[most-1]))), nil
}

// encoded is a document as IAM gives it back (RFC 3986).
func encoded(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
